#include "cudaCollect.h"

#include <algorithm>

namespace seine {
namespace {

using cuda::kPassQueries;
using cuda::Selection;

/// Words that are copied whole, where the found ones alone would take several copies.
constexpr size_t kOneCopy = 1 << 18;

}  // namespace

void selectLows(CudaDevice& device, const cuda::Pass& pass) {
  for (unsigned level = 0; level < cuda::kLevels; level++) {
    checkCuda(cuda::launchCount(pass, level, device.blocks(), device.stream()), "starting a kernel");
    checkCuda(cuda::launchPick(pass, level, device.stream()), "starting a kernel");
  }
}

std::vector<std::vector<uint32_t>> collectSlots(CudaDevice& device, cuda::Pass pass, CudaBuffer& candidates,
                                                size_t capacity, const std::function<bool()>& stopped) {
  Selection selections[kPassQueries];
  const size_t bytes = pass.queries * sizeof(Selection);
  for (;;) {
    if (stopped()) return {};
    growBuffer(candidates, capacity * pass.queries * sizeof(uint32_t));
    pass.candidates = candidates.as<uint32_t>();
    pass.capacity = capacity;
    checkCuda(cuda::launchCollect(pass, device.blocks(), device.stream()), "starting a kernel");
    device.download(selections, pass.selections, bytes);
    size_t found = 0;
    for (unsigned i = 0; i < pass.queries; i++) found = std::max<size_t>(found, selections[i].found);
    if (found <= capacity) break;
    capacity = found;
    for (Selection& selection : selections) selection.found = 0;
    device.upload(pass.selections, selections, bytes);
  }
  // All in one copy where that is small, else what was found.
  std::vector<uint32_t> all;
  if (pass.capacity * pass.queries <= kOneCopy) {
    all.resize(pass.capacity * pass.queries);
    device.download(all.data(), pass.candidates, all.size() * sizeof(uint32_t));
  }
  std::vector<std::vector<uint32_t>> found(pass.queries);
  for (unsigned i = 0; i < pass.queries; i++) {
    std::vector<uint32_t>& slots = found[i];
    slots.resize(selections[i].found);
    const size_t from = i * pass.capacity;
    if (!all.empty()) {
      std::copy_n(all.begin() + static_cast<ptrdiff_t>(from), slots.size(), slots.begin());
    } else {
      device.download(slots.data(), pass.candidates + from, slots.size() * sizeof(uint32_t));
    }
    std::sort(slots.begin(), slots.end());  // in the order of memory, for whoever ranks them
  }
  return found;
}

}  // namespace seine
