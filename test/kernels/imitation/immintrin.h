// The instructions of AVX-512 and VNNI that the products of codes take, in plain C++, as Intel's manual defines
// them: for processors that lack them. Nothing else of the real header.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

struct __m512i {
  alignas(64) uint8_t bytes[64];
};

namespace imitation {

template <typename T>
constexpr int kLanesOf = 64 / static_cast<int>(sizeof(T));

template <typename T>
T lane(const __m512i& from, int i) {
  T value;
  std::memcpy(&value, from.bytes + i * sizeof(T), sizeof(T));
  return value;
}

/// Each lane of the result is `make(lane)`.
template <typename T, typename Make>
__m512i lanes(Make make) {
  __m512i result;
  for (int i = 0; i < kLanesOf<T>; i++) {
    const auto value = static_cast<T>(make(i));
    std::memcpy(result.bytes + i * sizeof(T), &value, sizeof(T));
  }
  return result;
}

inline int32_t product(const __m512i& a, const __m512i& b, int i) {
  return static_cast<int32_t>(lane<uint8_t>(a, i)) * lane<int8_t>(b, i);
}

}  // namespace imitation

inline __m512i _mm512_setzero_si512() { return {}; }
inline __m512i _mm512_set1_epi32(int32_t value) {
  return imitation::lanes<int32_t>([=](int) { return value; });
}
inline __m512i _mm512_set1_epi16(int16_t value) {
  return imitation::lanes<int16_t>([=](int) { return value; });
}
inline __m512i _mm512_load_si512(const void* from) {
  __m512i result;
  std::memcpy(result.bytes, from, sizeof result.bytes);
  return result;
}
inline void _mm512_store_si512(void* to, const __m512i& value) { std::memcpy(to, value.bytes, sizeof value.bytes); }
inline __m512i _mm512_add_epi32(const __m512i& a, const __m512i& b) {
  return imitation::lanes<uint32_t>(
      [&](int i) { return imitation::lane<uint32_t>(a, i) + imitation::lane<uint32_t>(b, i); });
}
inline __m512i _mm512_add_epi16(const __m512i& a, const __m512i& b) {
  return imitation::lanes<uint16_t>(
      [&](int i) { return imitation::lane<uint16_t>(a, i) + imitation::lane<uint16_t>(b, i); });
}
/// Unsigned by signed bytes; sums of two saturate.
inline __m512i _mm512_maddubs_epi16(const __m512i& a, const __m512i& b) {
  return imitation::lanes<int16_t>([&](int i) {
    const int32_t sum = imitation::product(a, b, 2 * i) + imitation::product(a, b, 2 * i + 1);
    return std::clamp<int32_t>(sum, INT16_MIN, INT16_MAX);
  });
}
inline __m512i _mm512_madd_epi16(const __m512i& a, const __m512i& b) {
  return imitation::lanes<int32_t>([&](int i) {
    int32_t sum = 0;
    for (int j = 2 * i; j < 2 * i + 2; j++) {
      sum += static_cast<int32_t>(imitation::lane<int16_t>(a, j)) * imitation::lane<int16_t>(b, j);
    }
    return sum;
  });
}
/// Unsigned by signed bytes; sums of four are added to `sums`.
inline __m512i _mm512_dpbusd_epi32(const __m512i& sums, const __m512i& a, const __m512i& b) {
  return imitation::lanes<uint32_t>([&](int i) {
    auto sum = imitation::lane<uint32_t>(sums, i);
    for (int j = 4 * i; j < 4 * i + 4; j++) sum += static_cast<uint32_t>(imitation::product(a, b, j));
    return sum;
  });
}
