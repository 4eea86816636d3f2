// For processors without VNNI: products of 16-bit numbers.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace seine {
namespace {

constexpr size_t kMostQueries = 4;

/// Products of one group of rows, `quads` times four codes each, with kQueries queries.
template <size_t kQueries>
inline void dotTile(const uint8_t* group, size_t quads, const int8_t* queries, const int32_t* surplus,
                    int32_t* dots, size_t dotStride) {
  __m512i sums[kQueries];
  for (size_t q = 0; q < kQueries; q++) sums[q] = _mm512_set1_epi32(-surplus[q]);
  for (size_t k = 0; k < quads; k++, group += 64) {
    const __m512i codes = _mm512_load_si512(group);
    const __m512i even = _mm512_and_si512(codes, _mm512_set1_epi16(0xff)), odd = _mm512_srli_epi16(codes, 8);
    for (size_t q = 0; q < kQueries; q++) {
      int32_t four;
      std::memcpy(&four, queries + (q * quads + k) * 4, sizeof four);
      const __m512i query = _mm512_set1_epi32(four);
      const __m512i queryEven = _mm512_srai_epi16(_mm512_slli_epi16(query, 8), 8);
      const __m512i queryOdd = _mm512_srai_epi16(query, 8);
      sums[q] = _mm512_add_epi32(
          sums[q], _mm512_add_epi32(_mm512_madd_epi16(even, queryEven), _mm512_madd_epi16(odd, queryOdd)));
    }
  }
  for (size_t q = 0; q < kQueries; q++) _mm512_store_si512(dots + q * dotStride, sums[q]);
}

}  // namespace
}  // namespace seine

#include "dotTiles.h"
