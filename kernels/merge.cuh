// Top-k lists of each query into one, on a CUDA device.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

namespace seine::cuda {

/// Pointers to device memory. Entries lie query by query and within it list by list, each list best first,
/// equal scores by rising id, without NaN and -0.
struct Merging {
  const uint32_t* ids;     // [entries]
  const float* scores;     // [entries]
  const uint32_t* starts;  // [runs + 1]: where each list begins, and the end
  uint32_t entries;
  uint32_t runs;   // lists of all queries
  uint32_t lists;  // of a query
  uint32_t k;
  bool lowest;
  uint32_t* bestIds;  // [runs / lists, k]: slots past the number of a query's entries stay as they are
  float* best;
};

/// `blocks` is the largest grid: enough to fill the device. Asynchronous; returns the launch's error.
cudaError_t launchMerge(const Merging& merging, unsigned blocks, cudaStream_t stream);

}  // namespace seine::cuda
