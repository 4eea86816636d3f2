// What the vector headers share.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#endif

namespace seine {
namespace {

/// The number that a half's bits stand for.
inline float floatOfHalf(uint16_t half) {
  const uint32_t magnitude = (half & 0x7fffu) << 13, sign = (half & 0x8000u) << 16;
  // Exponents grow by 112. A subnormal half is read as 2^-14 and more, from which 2^-14 is taken again.
  uint32_t bits = magnitude + 0x38000000u;
  float value;
  if (magnitude < 0x800000u) {
    bits += 0x800000u;
    std::memcpy(&value, &bits, sizeof value);
    value -= 0x1p-14f;
    std::memcpy(&bits, &value, sizeof bits);
  }
  bits |= sign;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline float floatOfBfloat(uint16_t bfloat) {
  const uint32_t bits = static_cast<uint32_t>(bfloat) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline uint64_t onesIn(uint64_t bits) {
#if defined(_MSC_VER) && !defined(__clang__)
  bits -= bits >> 1 & 0x5555555555555555u;
  bits = (bits & 0x3333333333333333u) + (bits >> 2 & 0x3333333333333333u);
  return ((bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0fu) * 0x0101010101010101u >> 56;
#else
  return static_cast<uint64_t>(__builtin_popcountll(bits));
#endif
}

inline uint32_t lowestBit(uint32_t bits) {
#if defined(_MSC_VER) && !defined(__clang__)
  unsigned long index;
  _BitScanForward(&index, bits);
  return static_cast<uint32_t>(index);
#else
  return static_cast<uint32_t>(__builtin_ctz(bits));
#endif
}

}  // namespace
}  // namespace seine
