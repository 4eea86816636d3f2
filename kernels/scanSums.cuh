// Sums of a group of lanes: what a chunk of some rows adds to their scores, and the sums of all lanes.
#pragma once

#include "scanGrid.cuh"
#include "scanNumbers.cuh"

namespace seine::cuda {
namespace {

/// Adds the terms of a chunk of kRows rows and of each query to `sums` [kRows, kQueries]. `queries` is the
/// chunk of the first query, `stride` the parts from query to query.
template <typename Form, bool kSquared, unsigned kRows, unsigned kSums>
__device__ void addChunk(const uint4 (&codes)[kRows], const float (&scales)[kRows],
                         const typename Form::Part* queries, size_t stride, float (&sums)[kSums]) {
  constexpr unsigned kQueries = kSums / kRows;
  // One after the other: together they would take more registers than two blocks leave.
#pragma unroll 1
  for (unsigned part = 0; part < Form::kParts; part++) {
    typename Form::Part x[kRows];
#pragma unroll
    for (unsigned r = 0; r < kRows; r++) x[r] = Form::part(codes[r], part, scales[r]);
#pragma unroll
    for (unsigned q = 0; q < kQueries; q++) {
      const typename Form::Part y = queries[q * stride + part];
#pragma unroll
      for (unsigned r = 0; r < kRows; r++) {
        sums[r * kQueries + q] = addTerms<kSquared>(y, x[r], sums[r * kQueries + q]);
      }
    }
  }
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

}  // namespace
}  // namespace seine::cuda
