// Scores of a block of rows against a batch of queries, in float32, at one instruction-set level.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bound.h"
#include "dtype.h"

namespace seine {

/// Rows are scored in groups of this many.
constexpr size_t kRowGroup = 4;
/// Float32 of a cache line.
constexpr size_t kRowAlign = 16;
constexpr size_t numbersPerLine(Dtype dtype) { return 512 / bitsOf(dtype); }
/// A row's numbers are padded with zeros to a multiple of this: whole cache lines, but for bits, which are
/// few.
constexpr size_t rowAlign(Dtype dtype) { return dtype == Dtype::binary ? 128 : numbersPerLine(dtype); }
constexpr size_t kDtypes = 5;

struct ScanBlock {
  /// Pointers to rows [stride] numbers, 64-byte aligned: `rowCount` of them (a multiple of kRowGroup) and
  /// kRowGroup more that are only prefetched.
  const uint8_t* const* rows;
  /// [rowCount]: what codes of int8 rows are multiplied by.
  const float* factors;
  size_t rowCount;
  /// [queryCount, stride] float32, or bits for binary; zero-padded, 64-byte aligned.
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
  /// By dtype; for binary both are the number of bits that differ.
  void (*dot[kDtypes])(const ScanBlock& block);
  void (*squaredDistance[kDtypes])(const ScanBlock& block);
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
