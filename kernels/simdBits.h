// What the vector headers share.
#pragma once

#include <cstdint>

#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#endif

namespace seine {
namespace {

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
