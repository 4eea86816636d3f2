// Scores of a block of rows against a batch of queries, in float32, at one instruction-set level.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bound.h"

namespace seine {

/// Rows are scored in groups of this many.
constexpr size_t kRowGroup = 4;
/// A row's floats are padded with zeros to a multiple of this: one cache line.
constexpr size_t kRowAlign = 16;

struct ScanBlock {
  /// Pointers to rows [stride], 64-byte aligned: `rowCount` of them (a multiple of kRowGroup) and kRowGroup
  /// more that are only prefetched.
  const float* const* rows;
  size_t rowCount;
  /// [queryCount, stride], zero-padded, 64-byte aligned.
  const float* queries;
  size_t queryCount;
  size_t stride;
  /// Result [queryCount, scoreStride].
  float* scores;
  size_t scoreStride;
};

struct ScanKernel {
  /// Independent sums of a score.
  unsigned lanes;
  void (*dot)(const ScanBlock& block);
  void (*squaredDistance)(const ScanBlock& block);
  /// Positions of the scores that may belong to a row whose canonical score reaches `threshold` (oriented as
  /// in Interval), into `positions` [count]; returns how many. `scores` and `weights` can be read up to a
  /// multiple of kRowAlign.
  size_t (*survivors)(const float* scores, const float* weights, size_t count, const Bound& bound,
                      float threshold, uint32_t* positions);
};

extern const ScanKernel scanScalar;
#if defined(__x86_64__) || defined(_M_X64)
extern const ScanKernel scanAvx2;
extern const ScanKernel scanAvx512;
#elif defined(__aarch64__) || defined(_M_ARM64)
extern const ScanKernel scanNeon;
#endif

}  // namespace seine
