#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

#include "simdBits.h"

namespace seine {
namespace {

using Vector = float32x4_t;
constexpr unsigned kLanes = 4;
constexpr uint32_t kAllLanes = 0xf;
/// Sixteen sums, four rows and a query fit into the 32 registers.
constexpr size_t kQueryGroup = 4;

inline Vector zero() { return vdupq_n_f32(0); }
inline Vector broadcast(float value) { return vdupq_n_f32(value); }
inline Vector load(const float* from) { return vld1q_f32(from); }
inline Vector loadHalves(const uint16_t* from) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(from))); }
inline Vector loadBfloats(const uint16_t* from) {
  return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(from), 16));
}
inline Vector loadCodes(const int8_t* from) {
  const int32_t codes[kLanes] = {from[0], from[1], from[2], from[3]};
  return vcvtq_f32_s32(vld1q_s32(codes));
}
inline Vector convert(const int32_t* from) { return vcvtq_f32_s32(vld1q_s32(from)); }
inline Vector add(Vector a, Vector b) { return vaddq_f32(a, b); }
inline Vector subtract(Vector a, Vector b) { return vsubq_f32(a, b); }
inline Vector multiply(Vector a, Vector b) { return vmulq_f32(a, b); }
inline Vector multiplyAdd(Vector a, Vector b, Vector c) { return vfmaq_f32(c, a, b); }
#if defined(_MSC_VER) && !defined(__clang__)
inline void prefetch(const float* from) { __prefetch(from); }
#else
inline void prefetch(const float* from) { __builtin_prefetch(from); }
#endif

/// One bit per lane of a comparison.
inline uint32_t laneBits(uint32x4_t lanes) {
  const uint32_t weights[4] = {1, 2, 4, 8};
  return vaddvq_u32(vandq_u32(lanes, vld1q_u32(weights)));
}
inline uint32_t less(Vector a, Vector b) { return laneBits(vcltq_f32(a, b)); }
inline uint32_t notLess(Vector a, Vector b) { return laneBits(vcgeq_f32(a, b)); }

/// Adds the vectors up: `scores[q * scoreStride + r]` is the sum of `sums[q][r]`.
template <size_t kQueries>
inline void storeSums(const Vector (&sums)[kQueries][4], float* scores, size_t scoreStride) {
  for (size_t q = 0; q < kQueries; q++) {
    const Vector ab = vpaddq_f32(sums[q][0], sums[q][1]), cd = vpaddq_f32(sums[q][2], sums[q][3]);
    vst1q_f32(scores + q * scoreStride, vpaddq_f32(ab, cd));
  }
}

}  // namespace
}  // namespace seine
