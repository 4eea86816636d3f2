#include "cudaCollect.h"

#include <algorithm>

namespace seine {
namespace {

using cuda::kPassQueries;
using cuda::Selection;

/// Words that are copied whole, where the found ones alone would take several copies.
constexpr size_t kOneCopy = 1 << 18;

}  // namespace

void selectLows(CudaLane& lane, const cuda::Pass& pass) {
  for (unsigned level = 0; level < cuda::kLevels; level++) {
    checkCuda(cuda::launchCount(pass, level, lane.blocks(), lane.stream()), "starting a kernel");
    checkCuda(cuda::launchPick(pass, level, lane.stream()), "starting a kernel");
  }
}

std::vector<std::vector<uint32_t>> collectSlots(CudaLane& lane, cuda::Pass pass, CudaBuffer& candidates,
                                                size_t capacity, const std::function<bool()>& stopped) {
  Selection selections[kPassQueries];
  const size_t bytes = pass.queries * sizeof(Selection);
  for (;;) {
    if (stopped()) return {};
    growBuffer(candidates, capacity * pass.queries * sizeof(uint32_t));
    pass.candidates = candidates.as<uint32_t>();
    pass.capacity = capacity;
    checkCuda(cuda::launchCollect(pass, lane.blocks(), lane.stream()), "starting a kernel");
    lane.download(selections, pass.selections, bytes);
    size_t found = 0;
    for (unsigned i = 0; i < pass.queries; i++) found = std::max<size_t>(found, selections[i].found);
    if (found <= capacity) break;
    capacity = found;
    for (Selection& selection : selections) selection.found = 0;
    lane.upload(pass.selections, selections, bytes);
  }
  // All in one copy where that is small, else what was found.
  std::vector<uint32_t> all;
  if (pass.capacity * pass.queries <= kOneCopy) {
    all.resize(pass.capacity * pass.queries);
    lane.download(all.data(), pass.candidates, all.size() * sizeof(uint32_t));
  }
  std::vector<std::vector<uint32_t>> found(pass.queries);
  for (unsigned i = 0; i < pass.queries; i++) {
    std::vector<uint32_t>& slots = found[i];
    slots.resize(selections[i].found);
    const size_t from = i * pass.capacity;
    if (!all.empty()) {
      std::copy_n(all.begin() + static_cast<ptrdiff_t>(from), slots.size(), slots.begin());
    } else {
      lane.download(slots.data(), pass.candidates + from, slots.size() * sizeof(uint32_t));
    }
    std::sort(slots.begin(), slots.end());  // in the order of memory, for whoever ranks them
  }
  return found;
}

}  // namespace seine
