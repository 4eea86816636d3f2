#include "cudaPlacement.h"

#include <algorithm>
#include <bit>

namespace seine {
namespace {

constexpr size_t kWordRows = 32;

/// The words of a bitset over all rows that are about the device's.
std::vector<uint32_t> wordsOf(const std::vector<uint32_t>& bits, const CudaPlacement& placement,
                              size_t device) {
  const size_t block = placement.blockRows / kWordRows;
  std::vector<uint32_t> own;
  for (size_t first = device * block; first < bits.size(); first += placement.devices * block) {
    const auto from = bits.begin() + static_cast<ptrdiff_t>(first);
    own.insert(own.end(), from, from + static_cast<ptrdiff_t>(std::min(block, bits.size() - first)));
  }
  return own;
}

}  // namespace

std::shared_ptr<SearchTask> partOf(const SearchTask& task, const CudaPlacement& placement, size_t device) {
  auto part = std::make_shared<SearchTask>();
  static_cast<AskedQueries&>(*part) = task;
  const size_t count = placement.countOn(device, task.count);
  part->passing = count;
  if (!task.allowed.empty()) {
    part->allowed = wordsOf(task.allowed, placement, device);
    part->passing = 0;
    for (const uint32_t word : part->allowed) part->passing += static_cast<size_t>(std::popcount(word));
  }
  if (!task.listed.empty()) {
    for (const uint32_t row : task.listed) {
      if (placement.deviceOf(row) != device) continue;
      part->listed.push_back(static_cast<uint32_t>(placement.localOf(row)));
    }
    part->passing = part->listed.size();
  }
  part->k = std::min(task.k, part->passing);
  part->count = part->passing == 0 ? 0 : count;
  return part;
}

std::shared_ptr<RescorePart> partOf(const RescoreTask& task, const CudaPlacement& placement, size_t device) {
  auto part = std::make_shared<RescorePart>();
  for (size_t pair = 0; pair < task.pairRows.size(); pair++) {
    const uint32_t row = task.pairRows[pair];
    if (placement.deviceOf(row) != device) continue;
    part->pairs.push_back(pair);
    part->task.pairQueries.push_back(task.pairQueries[pair]);
    part->task.pairRows.push_back(static_cast<uint32_t>(placement.localOf(row)));
  }
  if (!part->pairs.empty()) static_cast<AskedQueries&>(part->task) = task;
  return part;
}

}  // namespace seine
