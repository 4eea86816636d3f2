#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "simdBits.h"

namespace seine {
namespace {

using Vector = __m512;
constexpr unsigned kLanes = 16;
constexpr uint32_t kAllLanes = 0xffff;
/// Sixteen sums, four rows and a query fit into the 32 registers.
constexpr size_t kQueryGroup = 4;

inline Vector zero() { return _mm512_setzero_ps(); }
inline Vector broadcast(float value) { return _mm512_set1_ps(value); }
inline Vector load(const float* from) { return _mm512_load_ps(from); }
inline Vector loadHalves(const uint16_t* from) {
  return _mm512_cvtph_ps(_mm256_load_si256(reinterpret_cast<const __m256i*>(from)));
}
inline Vector loadBfloats(const uint16_t* from) {
  const __m512i bits = _mm512_cvtepu16_epi32(_mm256_load_si256(reinterpret_cast<const __m256i*>(from)));
  return _mm512_castsi512_ps(_mm512_slli_epi32(bits, 16));
}
inline Vector loadCodes(const int8_t* from) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_load_si128(reinterpret_cast<const __m128i*>(from))));
}
inline Vector convert(const int32_t* from) { return _mm512_cvtepi32_ps(_mm512_load_si512(from)); }
inline Vector add(Vector a, Vector b) { return _mm512_add_ps(a, b); }
inline Vector subtract(Vector a, Vector b) { return _mm512_sub_ps(a, b); }
inline Vector multiply(Vector a, Vector b) { return _mm512_mul_ps(a, b); }
inline Vector multiplyAdd(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
inline void prefetch(const float* from) { _mm_prefetch(reinterpret_cast<const char*>(from), _MM_HINT_T0); }
inline uint32_t less(Vector a, Vector b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
inline uint32_t notLess(Vector a, Vector b) { return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ); }

/// Sums of four vectors within each 128-bit part: [a, b, c, d] four times.
inline Vector sumParts(const Vector (&v)[4]) {
  const Vector ab = add(_mm512_unpacklo_ps(v[0], v[1]), _mm512_unpackhi_ps(v[0], v[1]));
  const Vector cd = add(_mm512_unpacklo_ps(v[2], v[3]), _mm512_unpackhi_ps(v[2], v[3]));
  const __m512d x = _mm512_castps_pd(ab), y = _mm512_castps_pd(cd);
  return add(_mm512_castpd_ps(_mm512_unpacklo_pd(x, y)), _mm512_castpd_ps(_mm512_unpackhi_pd(x, y)));
}

/// Adds the vectors up: `scores[q * scoreStride + r]` is the sum of `sums[q][r]`.
template <size_t kQueries>
inline void storeSums(const Vector (&sums)[kQueries][4], float* scores, size_t scoreStride) {
  if constexpr (kQueries == 4) {
    const Vector a = sumParts(sums[0]), b = sumParts(sums[1]), c = sumParts(sums[2]), d = sumParts(sums[3]);
    const Vector ab = add(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xee));
    const Vector cd = add(_mm512_shuffle_f32x4(c, d, 0x44), _mm512_shuffle_f32x4(c, d, 0xee));
    const Vector all = add(_mm512_shuffle_f32x4(ab, cd, 0x88), _mm512_shuffle_f32x4(ab, cd, 0xdd));
    _mm_storeu_ps(scores, _mm512_castps512_ps128(all));
    _mm_storeu_ps(scores + scoreStride, _mm512_extractf32x4_ps(all, 1));
    _mm_storeu_ps(scores + 2 * scoreStride, _mm512_extractf32x4_ps(all, 2));
    _mm_storeu_ps(scores + 3 * scoreStride, _mm512_extractf32x4_ps(all, 3));
  } else {
    for (size_t q = 0; q < kQueries; q++) {
      const Vector parts = sumParts(sums[q]);
      const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(parts), _mm512_extractf32x8_ps(parts, 1));
      const __m128 sum = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
      _mm_storeu_ps(scores + q * scoreStride, sum);
    }
  }
}

}  // namespace
}  // namespace seine
