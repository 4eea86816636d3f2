// For processors without VNNI: products are added up in 16 bits, four codes after four, before they are
// widened.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace seine {
namespace {

constexpr bool kNarrowSums = true;
constexpr size_t kTileGroups = 1;
constexpr size_t kMostQueries = 4;

inline __m256i loadStored(const uint8_t* from) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(from));
}

/// Products of one group of rows, `quads` times four codes each, with kQueries queries.
template <size_t kQueries>
inline void dotTile(const uint8_t* group, size_t quads, const int8_t* queries, const int32_t* surplus,
                    int32_t* dots, size_t dotStride) {
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i sums[kQueries][2];
  for (size_t q = 0; q < kQueries; q++) sums[q][0] = sums[q][1] = _mm256_set1_epi32(-surplus[q]);
  for (size_t k = 0; k < quads; k += kNarrowQuads, group += kNarrowQuads * 64) {
    for (size_t q = 0; q < kQueries; q++) {
      __m256i first = _mm256_setzero_si256(), second = first;
      for (size_t j = 0; j < kNarrowQuads; j++) {
        int32_t four;
        std::memcpy(&four, queries + (q * quads + k + j) * 4, sizeof four);
        const __m256i query = _mm256_set1_epi32(four);
        first = _mm256_add_epi16(first, _mm256_maddubs_epi16(loadStored(group + j * 64), query));
        second = _mm256_add_epi16(second, _mm256_maddubs_epi16(loadStored(group + j * 64 + 32), query));
      }
      sums[q][0] = _mm256_add_epi32(sums[q][0], _mm256_madd_epi16(first, ones));
      sums[q][1] = _mm256_add_epi32(sums[q][1], _mm256_madd_epi16(second, ones));
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
