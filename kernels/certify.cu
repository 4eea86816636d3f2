// Certified scan: products of int8 codes on tensor cores, exact, and the rows that they cannot exclude.
#include "certify.cuh"
#include "codeInterval.h"
#include "mma.cuh"
#include "scanGrid.cuh"
#include "scanKeys.cuh"

namespace seine::cuda {
namespace {

constexpr unsigned kWarps = kThreads / kWarp;
/// Steps of a warp that are on their way from memory: 512 bytes each.
constexpr unsigned kStages = 8;

/// The block's copies of codes, for each warp and stage.
using Stages = uint4[kWarps][kStages][kWarp];
/// Not in the kernel itself, which is a template: hosts' compilers would not keep it with shared memory.
__device__ Stages& sharedStages() {
  __shared__ Stages stages;
  return stages;
}

/// Bits of a group's rows that pass.
__device__ inline uint32_t passing(const CodePass& pass, const CodeSlab& slab, size_t group) {
  const size_t row = group * kCodeGroup;
  const size_t left = slab.count - row;
  const uint32_t there = left < kCodeGroup ? (1u << left) - 1 : 0xffffu;
  if (pass.allowed == nullptr) return there;
  const size_t id = slab.first + row;
  return there & (pass.allowed[id / 32] >> (id % 32));
}

/// The groups of a warp: those that it meets and that have rows that pass. In a sample all of them count.
template <bool kSample>
struct Walk {
  const CodePass& pass;
  const CodeSlab& slab;
  size_t groups;
  size_t stride;
  __device__ size_t from(size_t group) const {
    while (!kSample && group < groups && passing(pass, slab, group) == 0) group += stride;
    return group;
  }
};

/// Appends a lane's row if it `stays`. Lanes with the same lane % 4 have the same query.
__device__ inline void append(const CodePass& pass, unsigned query, bool stays, const Survivor& survivor,
                              unsigned lane) {
  const unsigned all = __ballot_sync(kAll, stays);
  if (all == 0) return;
  const unsigned own = all & (0x11111111u << (lane % 4));
  const unsigned leader = own == 0 ? lane : static_cast<unsigned>(__ffs(static_cast<int>(own))) - 1;
  uint32_t position = 0;
  if (stays && lane == leader) {
    position = atomicAdd(&pass.selections[query].found, static_cast<uint32_t>(__popc(own)));
  }
  position = __shfl_sync(kAll, position, leader) + static_cast<uint32_t>(__popc(own & ((1u << lane) - 1)));
  if (stays && position < pass.capacity) pass.survivors[query * pass.capacity + position] = survivor;
}

/// Adds weighted features to both ends of intervals of rows g and g + 8 with queries 2 t and 2 t + 1. Each
/// feature is read once, by the lane that `holds` its row.
__device__ inline void weigh(const CodePass& pass, const CodeSlab& slab, size_t rowOfLane, bool holds,
                             unsigned lane, Interval (&intervals)[4]) {
  const unsigned g = lane / 4, t = lane % 4;
  double lows[4], highs[4];
#pragma unroll
  for (unsigned i = 0; i < 4; i++) {
    lows[i] = intervals[i].low;
    highs[i] = intervals[i].high;
  }
  for (size_t feature = 0; feature < pass.features; feature++) {
    const float own = holds ? slab.features[rowOfLane * pass.features + feature] : 0;
    const float values[2] = {__shfl_sync(kAll, own, g), __shfl_sync(kAll, own, g + 8)};
#pragma unroll
    for (unsigned i = 0; i < 4; i++) {
      const unsigned query = 2 * t + i % 2;
      const float weight = query < pass.queries ? pass.weights[query * (1 + pass.features) + 1 + feature] : 0;
      const double term = static_cast<double>(weight) * values[i / 2];
      lows[i] += term;
      highs[i] += term;
    }
  }
#pragma unroll
  for (unsigned i = 0; i < 4; i++) intervals[i] = roundedOutward(lows[i], highs[i]);
}

/// A warp multiplies groups of 16 rows with 8 queries. Its steps form one sequence over all of its groups, so
/// that copies never run dry between them.
template <bool kSample, bool kFeatures>
__global__ void __launch_bounds__(kThreads, 2) certifyRows(CodePass pass, CodeSlab slab) {
  const unsigned lane = threadIdx.x % kWarp, g = lane / 4, t = lane % 4;
  auto& own = sharedStages()[threadIdx.x / kWarp];
  const size_t warp = (static_cast<size_t>(blockIdx.x) * kThreads + threadIdx.x) / kWarp;
  const size_t warps = static_cast<size_t>(gridDim.x) * kWarps;
  const size_t every = kSample ? pass.every : 1;
  const Walk<kSample> walk = {pass, slab, (slab.count + kCodeGroup - 1) / kCodeGroup, warps * every};
  const auto* const codes = static_cast<const uint4*>(slab.codes);
  const auto* const queryCodes = static_cast<const uint2*>(pass.queryCodes);
  size_t ahead = walk.from(warp * every), aheadStep = 0;
  const auto start = [&](unsigned stage) {
    if (ahead < walk.groups) {
      copyAsync(&own[stage][lane], &codes[(ahead * pass.steps + aheadStep) * kWarp + lane]);
      if (++aheadStep == pass.steps) {
        aheadStep = 0;
        ahead = walk.from(ahead + walk.stride);
      }
    }
    commitCopies();
  };
  for (unsigned stage = 0; stage + 1 < kStages; stage++) start(stage);
  int32_t surplus[2];
  float thresholds[2];
#pragma unroll
  for (unsigned i = 0; i < 2; i++) {
    const unsigned query = 2 * t + i;
    surplus[i] = query < pass.queries ? pass.surplus[query] : 0;
    thresholds[i] = !kSample && query < pass.queries ? lowOf(pass.selections[query].prefix) : 0;
  }
  unsigned stage = 0;
  for (size_t group = walk.from(warp * every); group < walk.groups; group = walk.from(group + walk.stride)) {
    // Lane i has what is kept of row i, until all lanes need it.
    const size_t rowOfLane = group * kCodeGroup + lane;
    const bool holds = lane < kCodeGroup && rowOfLane < slab.count;
    const float scale = holds ? slab.scales[rowOfLane] : 0;
    const float error = holds ? slab.errors[rowOfLane] : 0;
    const float length = holds && slab.lengths != nullptr ? slab.lengths[rowOfLane] : 1;
    const uint32_t passes = passing(pass, slab, group);
    int32_t sums[4] = {-surplus[0], -surplus[1], -surplus[0], -surplus[1]};
    for (size_t step = 0; step < pass.steps; step++) {
      waitCopies<kStages - 2>();
      __syncwarp();  // every lane's part is there, and the stage before has been read by all
      start((stage + kStages - 1) % kStages);
      const auto* const words = reinterpret_cast<const uint32_t*>(own[stage]);
      const uint32_t a[4] = {words[t * kCodeGroup + g], words[t * kCodeGroup + g + 8],
                             words[(t + 4) * kCodeGroup + g], words[(t + 4) * kCodeGroup + g + 8]};
      const uint2 query = queryCodes[step * kWarp + lane];
      const uint32_t b[2] = {query.x, query.y};
      multiplyCodes(sums, a, b);
      stage = (stage + 1) % kStages;
    }
    Interval intervals[4];
#pragma unroll
    for (unsigned i = 0; i < 4; i++) {
      const unsigned row = g + i / 2 * 8, query = 2 * t + i % 2;
      const CodedRow coded = {__shfl_sync(kAll, scale, row), __shfl_sync(kAll, error, row)};
      const float rowLength = __shfl_sync(kAll, length, row);
      intervals[i] = query < pass.queries ? intervalOf(pass.bounds[query], sums[i], coded, rowLength)
                                          : Interval{-HUGE_VALF, -HUGE_VALF};
    }
    if constexpr (kFeatures) weigh(pass, slab, rowOfLane, holds, lane, intervals);
#pragma unroll
    for (unsigned half = 0; half < 2; half++) {
      const unsigned row = g + 8 * half;
      const bool passed = ((passes >> row) & 1) != 0;
#pragma unroll
      for (unsigned i = 0; i < 2; i++) {
        const unsigned query = 2 * t + i;
        const bool counts = passed && query < pass.queries;
        const Interval interval = counts ? intervals[2 * half + i] : Interval{-HUGE_VALF, -HUGE_VALF};
        if constexpr (kSample) {
          const size_t slot = (slab.sampled + group / every) * kCodeGroup + row;
          if (query < pass.queries) pass.lows[query * pass.sampleRows + slot] = interval.low;
        } else {
          const auto id = static_cast<uint32_t>(slab.first + group * kCodeGroup + row);
          append(pass, query, counts && interval.high >= thresholds[i], {interval.low, interval.high, id},
                 lane);
        }
      }
    }
  }
}

}  // namespace

cudaError_t launchSample(const CodePass& pass, const CodeSlab& slab, unsigned blocks, cudaStream_t stream) {
  const size_t groups = sampledGroups(slab.count, pass.every);
  const cudaLaunchConfig_t grid = config(gridFor(groups * kWarp, blocks), 1, kThreads, stream);
  return pass.features > 0 ? cudaLaunchKernelEx(&grid, certifyRows<true, true>, pass, slab)
                           : cudaLaunchKernelEx(&grid, certifyRows<true, false>, pass, slab);
}

cudaError_t launchCertify(const CodePass& pass, const CodeSlab& slab, unsigned blocks, cudaStream_t stream) {
  const size_t groups = sampledGroups(slab.count, 1);
  const cudaLaunchConfig_t grid = config(gridFor(groups * kWarp, blocks), 1, kThreads, stream);
  return pass.features > 0 ? cudaLaunchKernelEx(&grid, certifyRows<false, true>, pass, slab)
                           : cudaLaunchKernelEx(&grid, certifyRows<false, false>, pass, slab);
}

}  // namespace seine::cuda
