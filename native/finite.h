#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace seine {

/// Index of the first NaN or infinity of `count` floats, or `count`.
inline size_t firstNotFinite(const float* data, size_t count) {
  constexpr size_t kBlock = 1024;
  constexpr uint32_t kAllOnes = 0x7f800000u;
  const auto exponent = [data](size_t i) {
    uint32_t bits;
    std::memcpy(&bits, data + i, sizeof bits);
    return bits & kAllOnes;
  };
  for (size_t start = 0; start < count; start += kBlock) {
    const size_t end = std::min(start + kBlock, count);
    // Without an exit in the loop, so that compilers vectorize it.
    uint32_t largest = 0;
    for (size_t i = start; i < end; i++) largest = std::max(largest, exponent(i));
    if (largest != kAllOnes) continue;
    for (size_t i = start;; i++) {
      if (exponent(i) == kAllOnes) return i;
    }
  }
  return count;
}

}  // namespace seine
