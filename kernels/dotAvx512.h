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
constexpr size_t kMostQueries = 8;

/// Products of one group of rows, `quads` times four codes each, with kQueries queries.
template <size_t kQueries>
inline void dotTile(const uint8_t* group, size_t quads, const int8_t* queries, const int32_t* surplus,
                    int32_t* dots, size_t dotStride) {
  const __m512i ones = _mm512_set1_epi16(1);
  __m512i sums[kQueries];
  for (size_t q = 0; q < kQueries; q++) sums[q] = _mm512_set1_epi32(-surplus[q]);
  for (size_t k = 0; k < quads; k += kNarrowQuads, group += kNarrowQuads * 64) {
    __m512i codes[kNarrowQuads];
    for (size_t j = 0; j < kNarrowQuads; j++) codes[j] = _mm512_load_si512(group + j * 64);
    for (size_t q = 0; q < kQueries; q++) {
      __m512i sum = _mm512_setzero_si512();
      for (size_t j = 0; j < kNarrowQuads; j++) {
        int32_t four;
        std::memcpy(&four, queries + (q * quads + k + j) * 4, sizeof four);
        sum = _mm512_add_epi16(sum, _mm512_maddubs_epi16(codes[j], _mm512_set1_epi32(four)));
      }
      sums[q] = _mm512_add_epi32(sums[q], _mm512_madd_epi16(sum, ones));
    }
  }
  for (size_t q = 0; q < kQueries; q++) _mm512_store_si512(dots + q * dotStride, sums[q]);
}

}  // namespace
}  // namespace seine

#include "dotTiles.h"
