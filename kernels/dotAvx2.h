#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace seine {
namespace {

constexpr size_t kMostQueries = 2;

/// Codes at even and at odd places as 16-bit numbers: pairs of their products fit into 32 bits.
struct Pairs {
  __m256i even;
  __m256i odd;
};

inline Pairs rowPairs(const uint8_t* from) {
  const __m256i codes = _mm256_load_si256(reinterpret_cast<const __m256i*>(from));
  return {_mm256_and_si256(codes, _mm256_set1_epi16(0xff)), _mm256_srli_epi16(codes, 8)};
}

inline Pairs queryPairs(const int8_t* from) {
  int32_t four;
  std::memcpy(&four, from, sizeof four);
  const __m256i codes = _mm256_set1_epi32(four);
  return {_mm256_srai_epi16(_mm256_slli_epi16(codes, 8), 8), _mm256_srai_epi16(codes, 8)};
}

inline __m256i add(__m256i sum, const Pairs& a, const Pairs& b) {
  const __m256i products =
      _mm256_add_epi32(_mm256_madd_epi16(a.even, b.even), _mm256_madd_epi16(a.odd, b.odd));
  return _mm256_add_epi32(sum, products);
}

/// Products of one group of rows, `quads` times four codes each, with kQueries queries.
template <size_t kQueries>
inline void dotTile(const uint8_t* group, size_t quads, const int8_t* queries, const int32_t* surplus,
                    int32_t* dots, size_t dotStride) {
  __m256i sums[kQueries][2];
  for (size_t q = 0; q < kQueries; q++) sums[q][0] = sums[q][1] = _mm256_set1_epi32(-surplus[q]);
  for (size_t k = 0; k < quads; k++, group += 64) {
    const Pairs first = rowPairs(group), second = rowPairs(group + 32);
    for (size_t q = 0; q < kQueries; q++) {
      const Pairs query = queryPairs(queries + (q * quads + k) * 4);
      sums[q][0] = add(sums[q][0], first, query);
      sums[q][1] = add(sums[q][1], second, query);
    }
  }
  for (size_t q = 0; q < kQueries; q++) {
    auto* const to = reinterpret_cast<__m256i*>(dots + q * dotStride);
    _mm256_store_si256(to, sums[q][0]);
    _mm256_store_si256(to + 1, sums[q][1]);
  }
}

}  // namespace
}  // namespace seine

#include "dotTiles.h"
