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

/// Of the pairs that a lane has of a tile, row g or g + 8 and query 2 t or 2 t + 1 of the tile.
constexpr unsigned kPairs = 4;
__device__ inline unsigned rowOfPair(unsigned lane, unsigned i) { return lane / 4 + i / 2 * 8; }
__device__ inline unsigned queryOfPair(unsigned lane, unsigned tile, unsigned i) {
  return tile * kCodeTile + lane % 4 * 2 + i % 2;
}

/// Adds weighted features to both ends of the intervals of a lane's pairs, of tiles from `first` on. Each
/// feature is read once, by the lane that `holds` its row.
template <unsigned kTiles>
__device__ inline void weigh(const CodePass& pass, const CodeSlab& slab, size_t rowOfLane, bool holds,
                             unsigned lane, unsigned first, Interval (&intervals)[kTiles][kPairs]) {
  double lows[kTiles][kPairs], highs[kTiles][kPairs];
#pragma unroll
  for (unsigned i = 0; i < kTiles * kPairs; i++) {
    lows[i / kPairs][i % kPairs] = intervals[i / kPairs][i % kPairs].low;
    highs[i / kPairs][i % kPairs] = intervals[i / kPairs][i % kPairs].high;
  }
  for (size_t feature = 0; feature < pass.features; feature++) {
    const float own = holds ? slab.features[rowOfLane * pass.features + feature] : 0;
    const float values[2] = {__shfl_sync(kAll, own, lane / 4), __shfl_sync(kAll, own, lane / 4 + 8)};
#pragma unroll
    for (unsigned tile = 0; tile < kTiles; tile++) {
#pragma unroll
      for (unsigned i = 0; i < kPairs; i++) {
        const unsigned query = queryOfPair(lane, first + tile, i);
        const float weight =
            query < pass.queries ? pass.weights[query * (1 + pass.features) + 1 + feature] : 0;
        const double term = static_cast<double>(weight) * values[i / 2];
        lows[tile][i] += term;
        highs[tile][i] += term;
      }
    }
  }
#pragma unroll
  for (unsigned i = 0; i < kTiles * kPairs; i++) {
    intervals[i / kPairs][i % kPairs] =
        roundedOutward(lows[i / kPairs][i % kPairs], highs[i / kPairs][i % kPairs]);
  }
}

/// Stores the lower ends of a lane's pairs; `slot` is that of the group's first row in the sample.
__device__ inline void keepLows(const CodePass& pass, size_t slot, uint32_t passes, unsigned lane,
                                unsigned tile, const Interval (&intervals)[kPairs]) {
#pragma unroll
  for (unsigned i = 0; i < kPairs; i++) {
    const unsigned row = rowOfPair(lane, i), query = queryOfPair(lane, tile, i);
    if (query >= pass.queries) continue;
    pass.lows[query * pass.sampleRows + slot + row] =
        ((passes >> row) & 1) != 0 ? intervals[i].low : -HUGE_VALF;
  }
}

/// Appends those of a lane's pairs whose upper end reaches the threshold of the query; `first` is the group's
/// first row.
__device__ inline void appendTile(const CodePass& pass, size_t first, uint32_t passes, unsigned lane,
                                  unsigned tile, const float (&thresholds)[2],
                                  const Interval (&intervals)[kPairs]) {
  bool stays[kPairs];
#pragma unroll
  for (unsigned i = 0; i < kPairs; i++) {
    stays[i] = ((passes >> rowOfPair(lane, i)) & 1) != 0 && queryOfPair(lane, tile, i) < pass.queries &&
               intervals[i].high >= thresholds[i % 2];
  }
  // Of most tiles no row stays: one vote tells.
  if (__ballot_sync(kAll, stays[0] || stays[1] || stays[2] || stays[3]) == 0) return;
#pragma unroll
  for (unsigned i = 0; i < kPairs; i++) {
    const auto row = static_cast<uint32_t>(first + rowOfPair(lane, i));
    append(pass, queryOfPair(lane, tile, i), stays[i], {intervals[i].low, intervals[i].high, row}, lane);
  }
}

/// A warp multiplies groups of 16 rows with kTiles tiles of 8 queries: what it has of a group in registers
/// serves all of them. Its steps form one sequence over all of its groups, so that copies never run dry
/// between them.
template <bool kSample, bool kFeatures, unsigned kTiles>
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
  // Of queries 2 t and 2 t + 1 of each tile; those that there are not have codes of 0.
  int32_t surplus[kTiles][2];
  float thresholds[kTiles][2];
#pragma unroll
  for (unsigned i = 0; i < kTiles * 2; i++) {
    const unsigned query = queryOfPair(lane, i / 2, i % 2);
    const bool there = query < pass.queries;
    surplus[i / 2][i % 2] = there ? pass.surplus[query] : 0;
    thresholds[i / 2][i % 2] = !kSample && there ? lowOf(pass.selections[query].prefix) : 0;
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
    int32_t sums[kTiles][kPairs];
#pragma unroll
    for (unsigned i = 0; i < kTiles * kPairs; i++) sums[i / kPairs][i % kPairs] = -surplus[i / kPairs][i % 2];
    for (size_t step = 0; step < pass.steps; step++) {
      waitCopies<kStages - 2>();
      __syncwarp();  // every lane's part is there, and the stage before has been read by all
      start((stage + kStages - 1) % kStages);
      const auto* const words = reinterpret_cast<const uint32_t*>(own[stage]);
      const uint32_t a[4] = {words[t * kCodeGroup + g], words[t * kCodeGroup + g + 8],
                             words[(t + 4) * kCodeGroup + g], words[(t + 4) * kCodeGroup + g + 8]};
#pragma unroll
      for (unsigned tile = 0; tile < kTiles; tile++) {
        const uint2 query = queryCodes[(step * kTiles + tile) * kWarp + lane];
        const uint32_t b[2] = {query.x, query.y};
        multiplyCodes(sums[tile], a, b);
      }
      stage = (stage + 1) % kStages;
    }
    CodedRow coded[2];
    float lengths[2];
#pragma unroll
    for (unsigned half = 0; half < 2; half++) {
      const unsigned row = lane / 4 + half * 8;
      coded[half] = {__shfl_sync(kAll, scale, row), __shfl_sync(kAll, error, row)};
      lengths[half] = __shfl_sync(kAll, length, row);
    }
    // All tiles at once, so that features are read once; of the few rows of a sample for each tile, which
    // takes fewer registers.
    constexpr unsigned kTogether = kSample ? 1 : kTiles;
#pragma unroll
    for (unsigned first = 0; first < kTiles; first += kTogether) {
      Interval intervals[kTogether][kPairs];
#pragma unroll
      for (unsigned i = 0; i < kTogether * kPairs; i++) {
        const unsigned tile = first + i / kPairs, pair = i % kPairs, query = queryOfPair(lane, tile, pair);
        intervals[i / kPairs][pair] = query < pass.queries ? intervalOf(pass.bounds[query], sums[tile][pair],
                                                                        coded[pair / 2], lengths[pair / 2])
                                                           : Interval{-HUGE_VALF, -HUGE_VALF};
      }
      if constexpr (kFeatures) weigh<kTogether>(pass, slab, rowOfLane, holds, lane, first, intervals);
#pragma unroll
      for (unsigned tile = 0; tile < kTogether; tile++) {
        if constexpr (kSample) {
          const size_t slot = (slab.sampled + group / every) * kCodeGroup;
          keepLows(pass, slot, passes, lane, first + tile, intervals[tile]);
        } else {
          const size_t row = slab.first + group * kCodeGroup;
          appendTile(pass, row, passes, lane, tile, thresholds[tile], intervals[tile]);
        }
      }
    }
  }
}

template <bool kSample, bool kFeatures>
cudaError_t launchTiles(const CodePass& pass, const CodeSlab& slab, const cudaLaunchConfig_t& grid) {
  switch (codeTiles(pass.queries)) {
    case 1:
      return cudaLaunchKernelEx(&grid, certifyRows<kSample, kFeatures, 1>, pass, slab);
    case 2:
      return cudaLaunchKernelEx(&grid, certifyRows<kSample, kFeatures, 2>, pass, slab);
    default:
      return cudaLaunchKernelEx(&grid, certifyRows<kSample, kFeatures, kMostCodeTiles>, pass, slab);
  }
}

template <bool kSample>
cudaError_t launchGroups(const CodePass& pass, const CodeSlab& slab, size_t every, unsigned blocks,
                         cudaStream_t stream) {
  const size_t groups = sampledGroups(slab.count, every);
  const cudaLaunchConfig_t grid = config(gridFor(groups * kWarp, blocks), 1, kThreads, stream);
  return pass.features > 0 ? launchTiles<kSample, true>(pass, slab, grid)
                           : launchTiles<kSample, false>(pass, slab, grid);
}

}  // namespace

cudaError_t launchSample(const CodePass& pass, const CodeSlab& slab, unsigned blocks, cudaStream_t stream) {
  return launchGroups<true>(pass, slab, pass.every, blocks, stream);
}

cudaError_t launchCertify(const CodePass& pass, const CodeSlab& slab, unsigned blocks, cudaStream_t stream) {
  return launchGroups<false>(pass, slab, 1, blocks, stream);
}

}  // namespace seine::cuda
