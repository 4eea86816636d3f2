#include "filter.cuh"
#include "scanGrid.cuh"

namespace seine::cuda {
namespace {

/// A warp has 32 rows, neighbouring lanes reading neighbouring words, and writes their bits as one.
template <FilterOp kOp>
__global__ void __launch_bounds__(kThreads) filterLeaf(FilterLeaf leaf, uint32_t* to) {
  const unsigned lane = threadIdx.x % kWarp;
  const size_t threads = static_cast<size_t>(gridDim.x) * kThreads;
  const size_t firstOfWarp = static_cast<size_t>(blockIdx.x) * kThreads + threadIdx.x - lane;
  for (size_t base = firstOfWarp; base < leaf.count; base += threads) {
    const size_t row = base + lane;
    const bool passing =
        row < leaf.count && passesLeaf<kOp>(leaf.column, row, leaf.intervals, leaf.intervalCount);
    const unsigned word = __ballot_sync(kAll, passing);
    if (lane == 0) to[base / kWarp] = word;
  }
}

__global__ void __launch_bounds__(kThreads)
    joinBits(FilterOp op, const uint32_t* from, uint32_t* to, size_t words) {
  const size_t threads = static_cast<size_t>(gridDim.x) * kThreads;
  for (size_t word = static_cast<size_t>(blockIdx.x) * kThreads + threadIdx.x; word < words;
       word += threads) {
    if (op == FilterOp::negate) {
      to[word] = ~to[word];
    } else if (op == FilterOp::conjoin) {
      to[word] &= from[word];
    } else {
      to[word] |= from[word];
    }
  }
}

__global__ void __launch_bounds__(kThreads) countBits(uint32_t* bits, size_t count, uint32_t* total) {
  const size_t words = (count + 31) / 32;
  const size_t threads = static_cast<size_t>(gridDim.x) * kThreads;
  uint32_t own = 0;
  for (size_t word = static_cast<size_t>(blockIdx.x) * kThreads + threadIdx.x; word < words;
       word += threads) {
    uint32_t value = bits[word];
    if (word == words - 1 && count % 32 != 0) {
      value &= (1u << (count % 32)) - 1;
      bits[word] = value;
    }
    own += static_cast<uint32_t>(__popc(value));
  }
  for (unsigned lanes = kWarp / 2; lanes > 0; lanes /= 2) own += __shfl_xor_sync(kAll, own, lanes);
  if (threadIdx.x % kWarp == 0 && own != 0) atomicAdd(total, own);
}

}  // namespace

cudaError_t launchLeaf(FilterOp op, const FilterLeaf& leaf, uint32_t* to, unsigned blocks,
                       cudaStream_t stream) {
  const cudaLaunchConfig_t grid = config(gridFor(leaf.count, blocks), 1, kThreads, stream);
  switch (op) {
    case FilterOp::code:
      return cudaLaunchKernelEx(&grid, filterLeaf<FilterOp::code>, leaf, to);
    case FilterOp::wide:
      return cudaLaunchKernelEx(&grid, filterLeaf<FilterOp::wide>, leaf, to);
    default:
      return cudaLaunchKernelEx(&grid, filterLeaf<FilterOp::set>, leaf, to);
  }
}

cudaError_t launchJoin(FilterOp op, const uint32_t* from, uint32_t* to, size_t words, unsigned blocks,
                       cudaStream_t stream) {
  const cudaLaunchConfig_t grid = config(gridFor(words, blocks), 1, kThreads, stream);
  return cudaLaunchKernelEx(&grid, joinBits, op, from, to, words);
}

cudaError_t launchBitCount(uint32_t* bits, size_t count, uint32_t* total, unsigned blocks,
                           cudaStream_t stream) {
  const cudaLaunchConfig_t grid = config(gridFor((count + 31) / 32, blocks), 1, kThreads, stream);
  return cudaLaunchKernelEx(&grid, countBits, bits, count, total);
}

}  // namespace seine::cuda
