// On which of several CUDA devices rows lie: blocks of rows take turns, so that every device has its share of
// any range of rows, such as those that pass a filter or were appended last.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "backend.h"

namespace seine {

struct CudaPlacement {
  size_t devices = 1;
  /// A power of two from 32 on: blocks begin at words of the bitset and at groups of codes.
  size_t blockRows = size_t{1} << 32;

  size_t deviceOf(size_t row) const { return row / blockRows % devices; }
  /// The number of a row among those of its device, which come in the same order.
  size_t localOf(size_t row) const { return row / (blockRows * devices) * blockRows + row % blockRows; }
  size_t rowOf(size_t local, size_t device) const {
    return (local / blockRows * devices + device) * blockRows + local % blockRows;
  }
  /// Of the first `count` rows, those that lie on the device.
  size_t countOn(size_t device, size_t count) const {
    const size_t round = blockRows * devices, before = device * blockRows, left = count % round;
    const size_t last = left <= before ? 0 : left - before < blockRows ? left - before : blockRows;
    return count / round * blockRows + last;
  }
};

/// What a device has of a search, in numbers of its own rows: no `count` where none of its rows pass.
std::shared_ptr<SearchTask> partOf(const SearchTask& task, const CudaPlacement& placement, size_t device);

/// What a device has of a rescoring, and of which pairs: none where it has none.
struct RescorePart {
  RescoreTask task;
  std::vector<size_t> pairs;
};
std::shared_ptr<RescorePart> partOf(const RescoreTask& task, const CudaPlacement& placement, size_t device);

}  // namespace seine
