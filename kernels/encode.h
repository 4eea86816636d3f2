// The passes over a float32 row that become int8 codes, at one instruction-set level; codes are the same at
// each.
#pragma once

#include <cstddef>
#include <cstdint>

namespace seine {

struct EncodeKernel {
  /// The largest magnitude of finite `values` [dim].
  float (*largest)(const float* values, size_t dim);
  /// Rounds values / scale, -127 to 127, and stores the codes 128 higher, each four of them side by side,
  /// `step` bytes from four to four. Returns the sum of the squares of what rounding takes away.
  double (*round)(const float* values, size_t dim, double scale, size_t step, uint8_t* codes);
};

extern const EncodeKernel encodeScalar;
#if defined(__x86_64__) || defined(_M_X64)
extern const EncodeKernel encodeAvx2;
#endif

}  // namespace seine
