// Conditions over columns of typed attributes on a CUDA device: a launch a step of the program, bitset by
// bitset. What the steps mean: filter.h.
#pragma once

#include <cuda_runtime.h>

#include "filter.h"

namespace seine::cuda {

/// A leaf; pointers to device memory.
struct FilterLeaf {
  FilterColumn column;
  const FilterInterval* intervals;
  uint32_t intervalCount;
  size_t count;  // rows
};

/// `blocks` is the largest grid: enough to fill the device. Asynchronous; each returns the launch's error.

/// Fills `to` [ceil(count / 32)] with the rows that pass a leaf of this `op`; bits from `count` on are 0.
cudaError_t launchLeaf(FilterOp op, const FilterLeaf& leaf, uint32_t* to, unsigned blocks,
                       cudaStream_t stream);
/// Turns the bits of `to` over, or joins `to` with `from`, as `op` says: `words` words of each.
cudaError_t launchJoin(FilterOp op, const uint32_t* from, uint32_t* to, size_t words, unsigned blocks,
                       cudaStream_t stream);
/// Clears the bits from `count` on and adds the number of those that are set to `total`.
cudaError_t launchBitCount(uint32_t* bits, size_t count, uint32_t* total, unsigned blocks,
                           cudaStream_t stream);

}  // namespace seine::cuda
