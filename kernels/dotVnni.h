#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace seine {
namespace {

constexpr bool kNarrowSums = false;
/// Each four codes of a query are loaded once for two groups, or loads would be as many as products.
constexpr size_t kTileGroups = 2;
constexpr size_t kMostQueries = 8;

/// Products of two groups of rows, `quads` times four codes each, with kQueries queries.
template <size_t kQueries>
inline void dotTile(const uint8_t* group, size_t quads, const int8_t* queries, const int32_t* surplus,
                    int32_t* dots, size_t dotStride) {
  __m512i sums[kQueries][2];
  for (size_t q = 0; q < kQueries; q++) sums[q][0] = sums[q][1] = _mm512_set1_epi32(-surplus[q]);
  for (size_t k = 0; k < quads; k++, group += 64) {
    const __m512i first = _mm512_load_si512(group), second = _mm512_load_si512(group + quads * 64);
    for (size_t q = 0; q < kQueries; q++) {
      int32_t four;
      std::memcpy(&four, queries + (q * quads + k) * 4, sizeof four);
      const __m512i query = _mm512_set1_epi32(four);
      sums[q][0] = _mm512_dpbusd_epi32(sums[q][0], first, query);
      sums[q][1] = _mm512_dpbusd_epi32(sums[q][1], second, query);
    }
  }
  for (size_t q = 0; q < kQueries; q++) {
    _mm512_store_si512(dots + q * dotStride, sums[q][0]);
    _mm512_store_si512(dots + q * dotStride + kCodeGroup, sums[q][1]);
  }
}

}  // namespace
}  // namespace seine

#include "dotTiles.h"
