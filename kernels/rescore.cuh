// Canonical scores of pairs of a query and a row, on a CUDA device.
#pragma once

#include "scan.cuh"

namespace seine::cuda {

/// Pointers to device memory.
struct Rescoring {
  Metric metric;
  Dtype dtype;
  size_t chunks;  // from row to row
  const void*
      queryValues;       // [queries, numbers of the chunks] as given, or bits; zero-padded, 16-byte aligned
  size_t features;       // of a row
  const float* weights;  // [queries, 1 + features]; not read where there are no features
  const uint32_t* pairQueries;  // [pairs]
  const uint32_t* pairRows;     // [pairs]
  size_t pairs;
  float* scores;  // [pairs]
};

/// Scores the pairs whose row lies in `slab`. `blocks` is the largest grid. Asynchronous; returns the
/// launch's error.
cudaError_t launchRescore(const Rescoring& rescoring, const Slab& slab, unsigned blocks, cudaStream_t stream);

}  // namespace seine::cuda
