// What the kernels of the scan share.
#pragma once

#include "scan.cuh"

namespace seine::cuda {
namespace {

constexpr unsigned kThreads = 256;
constexpr unsigned kWarp = 32;
constexpr unsigned kAll = 0xffffffffu;

__device__ inline bool passes(const Pass& pass, size_t slot) {
  return slot < pass.count &&
         (pass.allowed == nullptr || ((pass.allowed[slot / 32] >> (slot % 32)) & 1) != 0);
}

/// The row of a slab at one of its slots.
__device__ inline uint32_t rowOf(const Slab& slab, uint32_t slot) {
  return slab.listed == nullptr ? slot : slab.listed[slot];
}

inline unsigned gridFor(size_t threads, unsigned blocks) {
  const size_t needed = (threads + kThreads - 1) / kThreads;
  return needed < blocks ? static_cast<unsigned>(needed) : blocks;
}

inline cudaLaunchConfig_t config(unsigned x, unsigned y, unsigned threads, cudaStream_t stream) {
  cudaLaunchConfig_t result = {};
  result.gridDim = dim3(x, y);
  result.blockDim = dim3(threads);
  result.stream = stream;
  return result;
}

}  // namespace
}  // namespace seine::cuda
