// The forms in which rows are stored.
#pragma once

#include <cstddef>

namespace seine {

/// Numbered as `DTYPES` in ts/device/native.ts; what they mean: ts/device/storedRows.ts.
enum class Dtype { f32 = 0, f16 = 1, bf16 = 2, int8 = 3, binary = 4 };

/// Bits of a number.
constexpr size_t bitsOf(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32:
      return 32;
    case Dtype::f16:
    case Dtype::bf16:
      return 16;
    case Dtype::int8:
      return 8;
    default:
      return 1;
  }
}

}  // namespace seine
