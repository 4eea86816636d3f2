#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace seine {
namespace {

constexpr size_t kMostQueries = 8;

/// Products of one group of rows, `quads` times four codes each, with kQueries queries.
template <size_t kQueries>
inline void dotTile(const uint8_t* group, size_t quads, const int8_t* queries, const int32_t* surplus,
                    int32_t* dots, size_t dotStride) {
  __m512i sums[kQueries];
  for (size_t q = 0; q < kQueries; q++) sums[q] = _mm512_set1_epi32(-surplus[q]);
  for (size_t k = 0; k < quads; k++, group += 64) {
    const __m512i codes = _mm512_load_si512(group);
    for (size_t q = 0; q < kQueries; q++) {
      int32_t four;
      std::memcpy(&four, queries + (q * quads + k) * 4, sizeof four);
      sums[q] = _mm512_dpbusd_epi32(sums[q], codes, _mm512_set1_epi32(four));
    }
  }
  for (size_t q = 0; q < kQueries; q++) _mm512_store_si512(dots + q * dotStride, sums[q]);
}

}  // namespace
}  // namespace seine

#include "dotTiles.h"
