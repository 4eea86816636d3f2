// Float32 numbers as keys that integers order; -0 lies below 0.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace seine::cuda {
namespace {

/// The higher the number, the smaller its key.
__device__ inline uint32_t keyOf(float number) {
  const uint32_t bits = __float_as_uint(number);
  return (bits & 0x80000000u) != 0 ? bits : ~bits & 0x7fffffffu;
}
__device__ inline float lowOf(uint32_t key) {
  return __uint_as_float((key & 0x80000000u) != 0 ? key : ~key & 0x7fffffffu);
}

}  // namespace
}  // namespace seine::cuda
