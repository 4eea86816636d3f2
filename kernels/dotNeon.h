// With the dot products of ARMv8.2, or with products of 8-bit numbers that are added up in pairs.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace seine {
namespace {

constexpr bool kNarrowSums = false;
constexpr size_t kTileGroups = 1;
constexpr size_t kMostQueries = 4;

/// Adds the products of four codes of four rows with those of a query to the four sums.
inline int32x4_t addProducts(int32x4_t sums, int8x16_t codes, int8x16_t query) {
#if defined(__ARM_FEATURE_DOTPROD)
  return vdotq_s32(sums, codes, query);
#else
  const int16x8_t low = vmull_s8(vget_low_s8(codes), vget_low_s8(query));
  const int16x8_t high = vmull_s8(vget_high_s8(codes), vget_high_s8(query));
  return vaddq_s32(sums, vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high)));
#endif
}

/// Products of one group of rows, `quads` times four codes each, with kQueries queries.
template <size_t kQueries>
inline void dotTile(const uint8_t* group, size_t quads, const int8_t* queries, const int32_t*, int32_t* dots,
                    size_t dotStride) {
  int32x4_t sums[kQueries][4];
  for (size_t q = 0; q < kQueries; q++) {
    for (size_t part = 0; part < 4; part++) sums[q][part] = vdupq_n_s32(0);
  }
  for (size_t k = 0; k < quads; k++, group += 64) {
    int8x16_t codes[4];
    // Less 128, so that there is no surplus.
    for (size_t part = 0; part < 4; part++) {
      codes[part] = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(group + part * 16), vdupq_n_u8(0x80)));
    }
    for (size_t q = 0; q < kQueries; q++) {
      int32_t four;
      std::memcpy(&four, queries + (q * quads + k) * 4, sizeof four);
      const int8x16_t query = vreinterpretq_s8_s32(vdupq_n_s32(four));
      for (size_t part = 0; part < 4; part++) sums[q][part] = addProducts(sums[q][part], codes[part], query);
    }
  }
  for (size_t q = 0; q < kQueries; q++) {
    for (size_t part = 0; part < 4; part++) vst1q_s32(dots + q * dotStride + part * 4, sums[q][part]);
  }
}

}  // namespace
}  // namespace seine

#include "dotTiles.h"
