#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "simdBits.h"

namespace seine {
namespace {

using Vector = __m256;
constexpr unsigned kLanes = 8;
constexpr uint32_t kAllLanes = 0xff;
/// Eight sums, four rows and a query fit into the 16 registers.
constexpr size_t kQueryGroup = 2;

inline Vector zero() { return _mm256_setzero_ps(); }
inline Vector broadcast(float value) { return _mm256_set1_ps(value); }
inline Vector load(const float* from) { return _mm256_load_ps(from); }
inline Vector loadHalves(const uint16_t* from) {
  return _mm256_cvtph_ps(_mm_load_si128(reinterpret_cast<const __m128i*>(from)));
}
inline Vector loadBfloats(const uint16_t* from) {
  const __m256i bits = _mm256_cvtepu16_epi32(_mm_load_si128(reinterpret_cast<const __m128i*>(from)));
  return _mm256_castsi256_ps(_mm256_slli_epi32(bits, 16));
}
inline Vector loadCodes(const int8_t* from) {
  const __m128i codes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(codes));
}
inline Vector convert(const int32_t* from) {
  return _mm256_cvtepi32_ps(_mm256_load_si256(reinterpret_cast<const __m256i*>(from)));
}
inline Vector add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
inline Vector subtract(Vector a, Vector b) { return _mm256_sub_ps(a, b); }
inline Vector multiply(Vector a, Vector b) { return _mm256_mul_ps(a, b); }
inline Vector multiplyAdd(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
inline void prefetch(const float* from) { _mm_prefetch(reinterpret_cast<const char*>(from), _MM_HINT_T0); }
inline uint32_t less(Vector a, Vector b) {
  return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_LT_OQ)));
}
inline uint32_t notLess(Vector a, Vector b) {
  return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_GE_OQ)));
}

/// Adds the vectors up: `scores[q * scoreStride + r]` is the sum of `sums[q][r]`.
template <size_t kQueries>
inline void storeSums(const Vector (&sums)[kQueries][4], float* scores, size_t scoreStride) {
  for (size_t q = 0; q < kQueries; q++) {
    const Vector ab = _mm256_hadd_ps(sums[q][0], sums[q][1]), cd = _mm256_hadd_ps(sums[q][2], sums[q][3]);
    const Vector parts = _mm256_hadd_ps(ab, cd);
    const __m128 sum = _mm_add_ps(_mm256_castps256_ps128(parts), _mm256_extractf128_ps(parts, 1));
    _mm_storeu_ps(scores + q * scoreStride, sum);
  }
}

}  // namespace
}  // namespace seine
