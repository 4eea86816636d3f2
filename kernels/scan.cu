#include "interval.h"
#include "scan.cuh"

namespace seine::cuda {
namespace {

constexpr unsigned kThreads = 256;
constexpr unsigned kWarp = 32;
constexpr unsigned kAll = 0xffffffffu;
/// Rows that a group of lanes scores side by side, so that their loads are under way together.
constexpr unsigned kRows = 4;
/// Rows of at most this many floats are scored by 8 lanes each, longer ones by a warp.
constexpr size_t kShortRow = 64;
constexpr unsigned kShortLanes = 8;

__device__ bool passes(const Pass& pass, size_t row) {
  return row < pass.count && (pass.allowed == nullptr || ((pass.allowed[row / 32] >> (row % 32)) & 1) != 0);
}

/// Adds `values` up over a group of lanes, each step halving what a lane is in charge of (while there is more
/// than one): 31 shuffles for 32 sums, not 160. Afterwards a lane has its sums at the front of `values`.
template <unsigned kOffset, unsigned kLanes, unsigned kCount>
__device__ void reduce(float (&values)[kCount], unsigned lane) {
  if constexpr (kOffset < kLanes) {
    constexpr unsigned kHeld = kCount / kOffset > 1 ? kCount / kOffset : 1;
    if constexpr (kHeld > 1) {
      constexpr unsigned kHalf = kHeld / 2;
      const bool upper = (lane & kOffset) != 0;
#pragma unroll
      for (unsigned i = 0; i < kHalf; i++) {
        const float sent = upper ? values[i] : values[i + kHalf];
        const float kept = upper ? values[i + kHalf] : values[i];
        values[i] = kept + __shfl_xor_sync(kAll, sent, kOffset);
      }
    } else {
      values[0] += __shfl_xor_sync(kAll, values[0], kOffset);
    }
    reduce<kOffset * 2, kLanes>(values, lane);
  }
}

/// The first of the sums that `reduce` leaves to a lane; `owns` tells the one lane that is to store them.
template <unsigned kLanes, unsigned kCount>
__device__ unsigned firstSum(unsigned lane, bool& owns) {
  unsigned first = 0;
  unsigned held = kCount;
  owns = true;
#pragma unroll
  for (unsigned offset = 1; offset < kLanes; offset *= 2) {
    const bool upper = (lane & offset) != 0;
    if (held > 1) {
      held /= 2;
      if (upper) first += held;
    } else if (upper) {
      owns = false;
    }
  }
  return first;
}

template <bool kSquared>
__device__ float addTerms(float4 q, float4 x, float sum) {
  if constexpr (kSquared) {
    const float a = q.x - x.x, b = q.y - x.y, c = q.z - x.z, d = q.w - x.w;
    return fmaf(d, d, fmaf(c, c, fmaf(b, b, fmaf(a, a, sum))));
  } else {
    return fmaf(q.w, x.w, fmaf(q.z, x.z, fmaf(q.y, x.y, fmaf(q.x, x.x, sum))));
  }
}

/// A group of kLanes lanes scores kRows rows against kQueries queries, neighbouring lanes loading
/// neighbouring 16 bytes. Rows that do not pass are not read. Every lane of a warp takes part in every
/// shuffle.
template <bool kSquared, unsigned kLanes, unsigned kQueries>
__global__ void __launch_bounds__(kThreads) scoreRows(Pass pass, Slab slab) {
  constexpr unsigned kSums = kRows * kQueries;
  constexpr unsigned kHeld = kSums / kLanes > 1 ? kSums / kLanes : 1;
  constexpr size_t kWarpRows = kWarp / kLanes * kRows;
  const unsigned lane = threadIdx.x % kLanes;
  const size_t groupRow = threadIdx.x % kWarp / kLanes * kRows;
  const size_t warp = (static_cast<size_t>(blockIdx.x) * kThreads + threadIdx.x) / kWarp;
  const size_t warps = static_cast<size_t>(gridDim.x) * (kThreads / kWarp);
  const size_t chunks = pass.stride / 4;
  const auto* const queries = reinterpret_cast<const float4*>(pass.queryValues);
  const auto* const rows = reinterpret_cast<const float4*>(slab.values);
  bool owns;
  const unsigned firstOwn = firstSum<kLanes, kSums>(lane, owns);
  for (size_t base = warp * kWarpRows; base < slab.rows; base += warps * kWarpRows) {
    const size_t first = base + groupRow;
    bool wanted[kRows];
    bool any = false;
#pragma unroll
    for (unsigned r = 0; r < kRows; r++) {
      wanted[r] = first + r < slab.rows && passes(pass, slab.first + first + r);
      any = any || wanted[r];
    }
    if (__ballot_sync(kAll, any) == 0) continue;
    float sums[kSums] = {};
    for (size_t chunk = lane; any && chunk < chunks; chunk += kLanes) {
      float4 x[kRows];
#pragma unroll
      for (unsigned r = 0; r < kRows; r++) {
        x[r] = wanted[r] ? rows[(first + r) * chunks + chunk] : make_float4(0, 0, 0, 0);
      }
#pragma unroll
      for (unsigned q = 0; q < kQueries; q++) {
        const float4 y = queries[q * chunks + chunk];
#pragma unroll
        for (unsigned r = 0; r < kRows; r++) {
          sums[r * kQueries + q] = addTerms<kSquared>(y, x[r], sums[r * kQueries + q]);
        }
      }
    }
    reduce<1, kLanes>(sums, lane);
    if (!owns) continue;
#pragma unroll
    for (unsigned i = 0; i < kHeld; i++) {
      const unsigned q = (firstOwn + i) % kQueries;
      const size_t row = first + (firstOwn + i) / kQueries;
      if (q < pass.queries && row < slab.rows) pass.lows[q * pass.count + slab.first + row] = sums[i];
    }
  }
}

/// Replaces the scores of a slab by bounds.
__global__ void __launch_bounds__(kThreads) boundRows(Pass pass, Slab slab) {
  const Bound bound = pass.bounds[blockIdx.y];
  float* const lows = pass.lows + blockIdx.y * pass.count + slab.first;
  float* const highs = pass.highs + blockIdx.y * pass.count + slab.first;
  const size_t threads = static_cast<size_t>(gridDim.x) * kThreads;
  for (size_t row = static_cast<size_t>(blockIdx.x) * kThreads + threadIdx.x; row < slab.rows;
       row += threads) {
    Interval interval = {nanf(""), nanf("")};
    if (passes(pass, slab.first + row)) {
      interval = intervalOf(bound, lows[row], slab.weights == nullptr ? 0 : slab.weights[row]);
    }
    lows[row] = interval.low;
    highs[row] = interval.high;
  }
}

/// The higher the bound, the smaller its key.
__device__ uint32_t keyOf(float low) {
  const uint32_t bits = __float_as_uint(low);
  return (bits & 0x80000000u) != 0 ? bits : ~bits & 0x7fffffffu;
}
__device__ float lowOf(uint32_t key) {
  return __uint_as_float((key & 0x80000000u) != 0 ? key : ~key & 0x7fffffffu);
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

unsigned gridFor(size_t threads, unsigned blocks) {
  const size_t needed = (threads + kThreads - 1) / kThreads;
  return needed < blocks ? static_cast<unsigned>(needed) : blocks;
}

cudaLaunchConfig_t config(unsigned x, unsigned y, unsigned threads, cudaStream_t stream) {
  cudaLaunchConfig_t result = {};
  result.gridDim = dim3(x, y);
  result.blockDim = dim3(threads);
  result.stream = stream;
  return result;
}

template <bool kSquared, unsigned kLanes>
cudaError_t launchTile(const Pass& pass, const Slab& slab, const cudaLaunchConfig_t& config) {
  switch (queryTile(pass.queries)) {
    case 1:
      return cudaLaunchKernelEx(&config, scoreRows<kSquared, kLanes, 1>, pass, slab);
    case 4:
      return cudaLaunchKernelEx(&config, scoreRows<kSquared, kLanes, 4>, pass, slab);
    default:
      return cudaLaunchKernelEx(&config, scoreRows<kSquared, kLanes, kPassQueries>, pass, slab);
  }
}

unsigned lanesFor(size_t stride) { return stride <= kShortRow ? kShortLanes : kWarp; }

}  // namespace

unsigned queryTile(unsigned queries) { return queries == 1 ? 1 : queries <= 4 ? 4 : kPassQueries; }

Summation summation(size_t stride) {
  const unsigned lanes = lanesFor(stride);
  const size_t step = size_t{4} * lanes;
  return {(stride + step - 1) / step * step, lanes};
}

cudaError_t launchScores(const Pass& pass, const Slab& slab, unsigned blocks, cudaStream_t stream) {
  const unsigned lanes = lanesFor(pass.stride);
  const cudaLaunchConfig_t grid =
      config(gridFor((slab.rows + kRows - 1) / kRows * lanes, blocks), 1, kThreads, stream);
  const bool squared = pass.metric == Metric::l2;
  if (lanes == kShortLanes) {
    return squared ? launchTile<true, kShortLanes>(pass, slab, grid)
                   : launchTile<false, kShortLanes>(pass, slab, grid);
  }
  return squared ? launchTile<true, kWarp>(pass, slab, grid) : launchTile<false, kWarp>(pass, slab, grid);
}

cudaError_t launchBounds(const Pass& pass, const Slab& slab, unsigned blocks, cudaStream_t stream) {
  const cudaLaunchConfig_t grid = config(gridFor(slab.rows, blocks), pass.queries, kThreads, stream);
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
