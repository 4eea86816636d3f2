// Exact scan, second part: from float32 scores to the rows that may be among the k best.
#include "interval.h"
#include "scanGrid.cuh"
#include "scanKeys.cuh"

namespace seine::cuda {
namespace {

/// Replaces the scores of a slab by bounds.
__global__ void __launch_bounds__(kThreads) boundRows(Pass pass, Slab slab) {
  const Bound bound = pass.bounds[blockIdx.y];
  float* const lows = pass.lows + blockIdx.y * pass.count + slab.first;
  float* const highs = pass.highs + blockIdx.y * pass.count + slab.first;
  const size_t threads = static_cast<size_t>(gridDim.x) * kThreads;
  for (size_t slot = static_cast<size_t>(blockIdx.x) * kThreads + threadIdx.x; slot < slab.count;
       slot += threads) {
    Interval interval = {nanf(""), nanf("")};
    if (passes(pass, slab.first + slot)) {
      const size_t row = rowOf(slab, static_cast<uint32_t>(slot));
      interval = intervalOf(bound, lows[slot], slab.weights == nullptr ? 0 : slab.weights[row]);
      if (pass.features > 0) {
        interval = weightedInterval(interval, pass.weights + blockIdx.y * (1 + pass.features),
                                    slab.features + row * pass.features, pass.features);
      }
    }
    lows[slot] = interval.low;
    highs[slot] = interval.high;
  }
}

__device__ unsigned shiftOf(unsigned level) { return level == 0 ? 21 : level == 1 ? 10 : 0; }
__device__ unsigned binsOf(unsigned level) { return level == 2 ? 1024 : 2048; }

/// Counts the rows whose key begins with the digits found so far by their next digit.
__global__ void __launch_bounds__(kThreads) countKeys(Pass pass, unsigned level) {
  __shared__ uint32_t counts[kBins];
  const unsigned query = blockIdx.y;
  const float* const lows = pass.lows + query * pass.count;
  const unsigned shift = shiftOf(level);
  const unsigned bins = binsOf(level);
  // Bits of the digits found so far; none at first.
  const uint32_t known = level == 0 ? 0 : kAll << (level == 1 ? 21 : 10);
  const uint32_t prefix = pass.selections[query].prefix;
  for (unsigned bin = threadIdx.x; bin < bins; bin += kThreads) counts[bin] = 0;
  __syncthreads();
  const size_t threads = static_cast<size_t>(gridDim.x) * kThreads;
  for (size_t row = static_cast<size_t>(blockIdx.x) * kThreads + threadIdx.x; row < pass.count;
       row += threads) {
    const float low = lows[row];
    const uint32_t key = keyOf(low);
    if (low == low && (key & known) == prefix) atomicAdd(&counts[(key >> shift) % bins], 1u);
  }
  __syncthreads();
  uint32_t* const histogram = pass.histogram + query * kBins;
  for (unsigned bin = threadIdx.x; bin < bins; bin += kThreads) {
    if (counts[bin] != 0) atomicAdd(&histogram[bin], counts[bin]);
  }
}

/// One warp finds the digit that holds the wanted rank; each lane has a run of bins.
__global__ void __launch_bounds__(kWarp) pickDigit(Pass pass, unsigned level) {
  const unsigned run = binsOf(level) / kWarp;
  uint32_t* const histogram = pass.histogram + blockIdx.x * kBins + threadIdx.x * run;
  Selection& selection = pass.selections[blockIdx.x];
  const uint32_t wanted = selection.wanted;
  uint32_t own = 0;
  for (unsigned i = 0; i < run; i++) own += histogram[i];
  uint32_t upTo = own;
  for (unsigned offset = 1; offset < kWarp; offset *= 2) {
    const uint32_t below = __shfl_up_sync(kAll, upTo, offset);
    if (threadIdx.x >= offset) upTo += below;
  }
  // Every lane has read `selection` before one writes it.
  const bool mine = upTo - own < wanted && wanted <= upTo;
  __syncwarp();
  if (mine) {
    uint32_t before = upTo - own;
    unsigned bin = 0;
    while (before + histogram[bin] < wanted) before += histogram[bin++];
    selection.prefix |= (threadIdx.x * run + bin) << shiftOf(level);
    selection.wanted = wanted - before;
  }
  for (unsigned i = 0; i < run; i++) histogram[i] = 0;
}

/// Appends the rows whose upper bound reaches the k-th lower bound, a warp at a time, in any order.
__global__ void __launch_bounds__(kThreads) collectRows(Pass pass) {
  const unsigned query = blockIdx.y;
  const float* const highs = pass.highs + query * pass.count;
  uint32_t* const candidates = pass.candidates + query * pass.capacity;
  Selection& selection = pass.selections[query];
  const float threshold = lowOf(selection.prefix);
  const unsigned lane = threadIdx.x % kWarp;
  const size_t threads = static_cast<size_t>(gridDim.x) * kThreads;
  const size_t firstOfWarp = static_cast<size_t>(blockIdx.x) * kThreads + threadIdx.x - lane;
  for (size_t base = firstOfWarp; base < pass.count; base += threads) {
    const size_t row = base + lane;
    const bool stays = row < pass.count && highs[row] >= threshold;  // false for NaN
    const unsigned lanes = __ballot_sync(kAll, stays);
    if (lanes == 0) continue;
    uint32_t position = 0;
    if (lane == 0) position = atomicAdd(&selection.found, static_cast<uint32_t>(__popc(lanes)));
    position = __shfl_sync(kAll, position, 0) + static_cast<uint32_t>(__popc(lanes & ((1u << lane) - 1)));
    if (stays && position < pass.capacity) candidates[position] = static_cast<uint32_t>(row);
  }
}

}  // namespace

cudaError_t launchBounds(const Pass& pass, const Slab& slab, unsigned blocks, cudaStream_t stream) {
  const cudaLaunchConfig_t grid = config(gridFor(slab.count, blocks), pass.queries, kThreads, stream);
  return cudaLaunchKernelEx(&grid, boundRows, pass, slab);
}

cudaError_t launchCount(const Pass& pass, unsigned level, unsigned blocks, cudaStream_t stream) {
  // A block counts 16 rows a thread at least: its histogram costs as much as a few.
  const cudaLaunchConfig_t grid =
      config(gridFor((pass.count + 15) / 16, blocks), pass.queries, kThreads, stream);
  return cudaLaunchKernelEx(&grid, countKeys, pass, level);
}

cudaError_t launchPick(const Pass& pass, unsigned level, cudaStream_t stream) {
  const cudaLaunchConfig_t grid = config(pass.queries, 1, kWarp, stream);
  return cudaLaunchKernelEx(&grid, pickDigit, pass, level);
}

cudaError_t launchCollect(const Pass& pass, unsigned blocks, cudaStream_t stream) {
  const cudaLaunchConfig_t grid = config(gridFor(pass.count, blocks), pass.queries, kThreads, stream);
  return cudaLaunchKernelEx(&grid, collectRows, pass);
}

}  // namespace seine::cuda
