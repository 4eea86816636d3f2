// Products of int8 codes of rows and queries, exact and the same at every instruction-set level, and the rows
// whose canonical score may reach a threshold by them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "codes.h"

namespace seine {

struct CodeBlock {
  /// Groups of kCodeGroup rows, an even number of them one after the other, kCodeGroup * stride bytes each;
  /// 64-byte aligned.
  const uint8_t* groups;
  size_t groupCount;
  /// [queryCount, stride], padded with zeros, 64-byte aligned.
  const int8_t* queries;
  /// Sum of each query's codes [queryCount], times 128: what storing codes 128 higher adds to a product.
  const int32_t* surplus;
  size_t queryCount;
  /// Codes from row to row.
  size_t stride;
  /// Result [queryCount, dotStride]; 64-byte aligned, dotStride a multiple of kCodeGroup.
  int32_t* dots;
  size_t dotStride;
};

/// What is kept beside the codes of consecutive rows, 64-byte aligned.
struct CodedRows {
  const float* scales;
  const float* errors;
  /// Absent for `cosine`.
  const float* lengths;
  /// Bits of the rows that pass, from the first of these rows on; absent: all pass.
  const uint32_t* allowed;
  /// What the features of each row add, see `CertifyKernel::weigh`; absent where rows have none.
  const float* added;
};

struct CertifyKernel {
  /// Queries are to be encoded for sums of 16 bits.
  bool narrowSums;
  void (*dots)(const CodeBlock& block);
  /// Positions of the rows that pass and whose canonical score may reach `threshold`, by their `dots`
  /// [count], into `positions` [count]; returns how many. Arrays can be read up to a multiple of kCodeGroup.
  size_t (*survivors)(const int32_t* dots, const CodedRows& rows, size_t count, const CodeBound& bound,
                      float threshold, uint32_t* positions);
  /// For `CodedRows::added`: upper ends of what `features` [width, stride] (those of a row in a column) add
  /// to a score, into `added` [count]; infinite where that may come near the largest float32.
  void (*weigh)(const float* features, size_t stride, const float* weights, size_t width, size_t count,
                float* added);
};

extern const CertifyKernel certifyScalar;
#if defined(__x86_64__) || defined(_M_X64)
extern const CertifyKernel certifyAvx2;
extern const CertifyKernel certifyAvx512;
extern const CertifyKernel certifyVnni;
#if defined(SEINE_AMX)
extern const CertifyKernel certifyAmx;
#endif
#elif defined(__aarch64__) || defined(_M_ARM64)
extern const CertifyKernel certifyNeon;
#if defined(SEINE_DOTPROD)
extern const CertifyKernel certifyNeonDot;
#endif
#endif

}  // namespace seine
