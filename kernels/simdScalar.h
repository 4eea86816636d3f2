// Plain C++ for processors without a level of their own; compilers turn the loops into what the baseline has.
#pragma once

#include <cstddef>
#include <cstdint>

#include "simdBits.h"

namespace seine {
namespace {

constexpr unsigned kLanes = 8;
constexpr uint32_t kAllLanes = 0xff;
constexpr size_t kQueryGroup = 1;

struct Vector {
  float lane[kLanes];
};

inline Vector broadcast(float value) {
  Vector result;
  for (unsigned i = 0; i < kLanes; i++) result.lane[i] = value;
  return result;
}
inline Vector zero() { return broadcast(0); }
inline Vector load(const float* from) {
  Vector result;
  for (unsigned i = 0; i < kLanes; i++) result.lane[i] = from[i];
  return result;
}
inline Vector loadHalves(const uint16_t* from) {
  Vector result;
  for (unsigned i = 0; i < kLanes; i++) result.lane[i] = floatOfHalf(from[i]);
  return result;
}
inline Vector loadBfloats(const uint16_t* from) {
  Vector result;
  for (unsigned i = 0; i < kLanes; i++) result.lane[i] = floatOfBfloat(from[i]);
  return result;
}
inline Vector loadCodes(const int8_t* from) {
  Vector result;
  for (unsigned i = 0; i < kLanes; i++) result.lane[i] = static_cast<float>(from[i]);
  return result;
}
inline Vector convert(const int32_t* from) {
  Vector result;
  for (unsigned i = 0; i < kLanes; i++) result.lane[i] = static_cast<float>(from[i]);
  return result;
}
inline Vector add(Vector a, Vector b) {
  Vector result;
  for (unsigned i = 0; i < kLanes; i++) result.lane[i] = a.lane[i] + b.lane[i];
  return result;
}
inline Vector subtract(Vector a, Vector b) {
  Vector result;
  for (unsigned i = 0; i < kLanes; i++) result.lane[i] = a.lane[i] - b.lane[i];
  return result;
}
inline Vector multiply(Vector a, Vector b) {
  Vector result;
  for (unsigned i = 0; i < kLanes; i++) result.lane[i] = a.lane[i] * b.lane[i];
  return result;
}
inline Vector multiplyAdd(Vector a, Vector b, Vector c) {
  Vector result;
  for (unsigned i = 0; i < kLanes; i++) result.lane[i] = a.lane[i] * b.lane[i] + c.lane[i];
  return result;
}
inline void prefetch(const float*) {}  // left to the processor
inline uint32_t less(Vector a, Vector b) {
  uint32_t bits = 0;
  for (unsigned i = 0; i < kLanes; i++) bits |= static_cast<uint32_t>(a.lane[i] < b.lane[i]) << i;
  return bits;
}
inline uint32_t notLess(Vector a, Vector b) {
  uint32_t bits = 0;
  for (unsigned i = 0; i < kLanes; i++) bits |= static_cast<uint32_t>(a.lane[i] >= b.lane[i]) << i;
  return bits;
}

/// Adds the vectors up: `scores[q * scoreStride + r]` is the sum of `sums[q][r]`.
template <size_t kQueries>
inline void storeSums(const Vector (&sums)[kQueries][4], float* scores, size_t scoreStride) {
  for (size_t q = 0; q < kQueries; q++) {
    for (size_t r = 0; r < 4; r++) {
      const float* lane = sums[q][r].lane;
      scores[q * scoreStride + r] =
          ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
    }
  }
}

}  // namespace
}  // namespace seine
