// What kernels use of CUDA C++, emulated: coordinates, barriers, warp operations, arithmetic.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "block.h"

#define __global__
#define __device__
#define __host__
#define __launch_bounds__(...)
#define __shared__ static __attribute__((section("seine_shared")))

struct dim3 {
  unsigned x, y, z;
  dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(8) uint2 {
  uint32_t x, y;
};
struct alignas(16) uint4 {
  uint32_t x, y, z, w;
};
inline uint4 make_uint4(uint32_t x, uint32_t y, uint32_t z, uint32_t w) { return {x, y, z, w}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

template <unsigned (*kRead)()>
struct Coordinate {
  operator unsigned() const { return kRead(); }
};
inline unsigned emulatedThread() { return emulation::Block::current()->thread(); }
inline unsigned emulatedBlockX() { return emulation::Block::current()->index().x; }
inline unsigned emulatedBlockY() { return emulation::Block::current()->index().y; }
inline unsigned emulatedThreads() { return emulation::Block::current()->threads(); }
inline unsigned emulatedGridX() { return emulation::Block::current()->grid().x; }
inline const struct {
  Coordinate<emulatedThread> x;
} threadIdx;
inline const struct {
  Coordinate<emulatedBlockX> x;
  Coordinate<emulatedBlockY> y;
} blockIdx;
inline const struct {
  Coordinate<emulatedGridX> x;
} gridDim;
inline const struct {
  Coordinate<emulatedThreads> x;
} blockDim;

inline void __syncthreads() { emulation::Block::current()->barrier(); }
inline void __syncwarp(unsigned mask = 0xffffffffu) {
  emulation::Block::current()->meet(emulation::Operation::sync, mask, 0, 0);
}
inline unsigned __ballot_sync(unsigned mask, int vote) {
  return emulation::Block::current()->meet(emulation::Operation::ballot, mask, vote != 0, 0);
}
template <typename T>
T emulatedShuffle(emulation::Operation operation, unsigned mask, T value, unsigned argument) {
  static_assert(sizeof(T) == 4);
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  bits = emulation::Block::current()->meet(operation, mask, bits, argument);
  std::memcpy(&value, &bits, 4);
  return value;
}
template <typename T>
T __shfl_sync(unsigned mask, T value, unsigned lane) {
  return emulatedShuffle(emulation::Operation::shuffle, mask, value, lane);
}
template <typename T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta) {
  return emulatedShuffle(emulation::Operation::shuffleUp, mask, value, delta);
}
template <typename T>
T __shfl_xor_sync(unsigned mask, T value, unsigned lanes) {
  return emulatedShuffle(emulation::Operation::shuffleXor, mask, value, lanes);
}
// Where accesses are watched, those within it are not: nothing comes between them.
__attribute__((noinline, no_sanitize("thread"))) inline uint32_t atomicAdd(uint32_t* to, uint32_t value) {
  emulation::Block::current()->pause(4);
  const uint32_t before = *to;
  *to = before + value;
  return before;
}
/// The build for this machine has no fused multiply-add that a compiler could make of it.
inline float __fmul_rn(float a, float b) { return a * b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dsub_rn(double a, double b) { return a - b; }
inline double __ddiv_rn(double a, double b) { return a / b; }
inline double __dsqrt_rn(double a) { return std::sqrt(a); }
inline float __double2float_rn(double a) { return static_cast<float>(a); }
inline int __popc(unsigned bits) { return __builtin_popcount(bits); }
inline int __ffs(int bits) { return __builtin_ffs(bits); }
inline uint32_t __float_as_uint(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}
inline float __uint_as_float(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}
