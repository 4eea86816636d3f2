// What 16 bytes of a stored row stand for, exactly, and what they add to a score.
#pragma once

#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cstdint>

#include "dtype.h"

namespace seine::cuda {
namespace {

/// `part(chunk, i, scale)` gives part `i` of `kParts` of a chunk; a query holds as many parts for it.
template <Dtype kDtype>
struct Numbers;

__device__ inline float halfOf(uint32_t bits) {
  return __half2float(__ushort_as_half(static_cast<unsigned short>(bits)));
}
__device__ inline uint32_t wordOf(uint4 chunk, unsigned i) {
  return i == 0 ? chunk.x : i == 1 ? chunk.y : i == 2 ? chunk.z : chunk.w;
}

template <>
struct Numbers<Dtype::f32> {
  using Part = float4;
  static constexpr unsigned kParts = 1;
  __device__ static Part part(uint4 chunk, unsigned, float) {
    return make_float4(__uint_as_float(chunk.x), __uint_as_float(chunk.y), __uint_as_float(chunk.z),
                       __uint_as_float(chunk.w));
  }
};

template <>
struct Numbers<Dtype::f16> {
  using Part = float4;
  static constexpr unsigned kParts = 2;
  __device__ static Part part(uint4 chunk, unsigned i, float) {
    const uint32_t a = wordOf(chunk, 2 * i), b = wordOf(chunk, 2 * i + 1);
    return make_float4(halfOf(a), halfOf(a >> 16), halfOf(b), halfOf(b >> 16));
  }
};

template <>
struct Numbers<Dtype::bf16> {
  using Part = float4;
  static constexpr unsigned kParts = 2;
  __device__ static Part part(uint4 chunk, unsigned i, float) {
    const uint32_t a = wordOf(chunk, 2 * i), b = wordOf(chunk, 2 * i + 1);
    return make_float4(__uint_as_float(a << 16), __uint_as_float(a & 0xffff0000u), __uint_as_float(b << 16),
                       __uint_as_float(b & 0xffff0000u));
  }
};

template <>
struct Numbers<Dtype::int8> {
  using Part = float4;
  static constexpr unsigned kParts = 4;
  __device__ static Part part(uint4 chunk, unsigned i, float scale) {
    const uint32_t word = wordOf(chunk, i);
    return make_float4(number(word, scale), number(word >> 8, scale), number(word >> 16, scale),
                       number(word >> 24, scale));
  }
  /// Rounded here, as the canonical number is: a fused multiply-add later on would not.
  __device__ static float number(uint32_t code, float scale) {
    return __fmul_rn(static_cast<float>(static_cast<int8_t>(code)), scale);
  }
};

template <>
struct Numbers<Dtype::binary> {
  using Part = uint4;
  static constexpr unsigned kParts = 1;
  __device__ static Part part(uint4 chunk, unsigned, float) { return chunk; }
};

template <bool kSquared>
__device__ float addTerms(float4 q, float4 x, float sum) {
  if constexpr (kSquared) {
    const float a = q.x - x.x, b = q.y - x.y, c = q.z - x.z, d = q.w - x.w;
    return fmaf(d, d, fmaf(c, c, fmaf(b, b, fmaf(a, a, sum))));
  } else {
    return fmaf(q.w, x.w, fmaf(q.z, x.z, fmaf(q.y, x.y, fmaf(q.x, x.x, sum))));
  }
}

/// Differing bits: whole numbers below 2^24, so the sum is exact.
template <bool kSquared>
__device__ float addTerms(uint4 q, uint4 x, float sum) {
  return sum +
         static_cast<float>(__popc(q.x ^ x.x) + __popc(q.y ^ x.y) + __popc(q.z ^ x.z) + __popc(q.w ^ x.w));
}

}  // namespace
}  // namespace seine::cuda
