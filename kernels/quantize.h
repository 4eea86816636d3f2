// Float32 rows into the forms in which they are stored, at one instruction-set level; bit for bit what
// ts/device/reference/quantizeRows.ts does.
#pragma once

#include <cstddef>
#include <cstdint>

namespace seine {

struct QuantizeKernel {
  /// `count` finite numbers, rounded to nearest, ties to even; returns the index of the first that is beyond
  /// the range, or `count`.
  size_t (*toHalves)(const float* values, size_t count, uint16_t* halves);
  size_t (*toBfloats)(const float* values, size_t count, uint16_t* bfloats);
  /// `rows` rows [dim]: codes [rows, dim], scales [rows] and upper bounds [rows] of the length of what
  /// rounding takes away.
  void (*toCodes)(const float* values, size_t rows, size_t dim, int8_t* codes, float* scales, float* errors);
  /// One row [dim]: bit i & 31 of word i >> 5 is values[i] > 0, [ceil(dim / 32)].
  void (*toBits)(const float* values, size_t dim, uint32_t* words);
};

extern const QuantizeKernel quantizeScalar;
#if defined(__x86_64__) || defined(_M_X64)
extern const QuantizeKernel quantizeAvx2;
extern const QuantizeKernel quantizeAvx512;
#endif

}  // namespace seine
