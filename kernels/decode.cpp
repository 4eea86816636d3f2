#include "decode.h"

#include <cmath>

#include "simdBits.h"

namespace seine {

void decodeNumbers(Dtype dtype, const uint8_t* numbers, size_t count, float factor, float* to) {
  switch (dtype) {
    case Dtype::f32:
      std::memcpy(to, numbers, count * sizeof(float));
      break;
    case Dtype::f16:
      for (size_t i = 0; i < count; i++) to[i] = floatOfHalf(reinterpret_cast<const uint16_t*>(numbers)[i]);
      break;
    case Dtype::bf16:
      for (size_t i = 0; i < count; i++) to[i] = floatOfBfloat(reinterpret_cast<const uint16_t*>(numbers)[i]);
      break;
    default:
      for (size_t i = 0; i < count; i++) to[i] = static_cast<float>(static_cast<int8_t>(numbers[i])) * factor;
  }
}

double storedNorm(Dtype dtype, const uint8_t* numbers, size_t count, float factor) {
  constexpr size_t kPiece = 512;
  float piece[kPiece];
  double sum = 0;
  for (size_t start = 0; start < count; start += kPiece) {
    const size_t size = count - start < kPiece ? count - start : kPiece;
    decodeNumbers(dtype, numbers + start * bitsOf(dtype) / 8, size, factor, piece);
    for (size_t i = 0; i < size; i++) sum += static_cast<double>(piece[i]) * static_cast<double>(piece[i]);
  }
  return std::sqrt(sum);
}

uint64_t differingBits(const uint8_t* a, const uint8_t* b, size_t bytes) {
  uint64_t count = 0;
  for (size_t i = 0; i < bytes; i += 8) {
    uint64_t x, y;
    std::memcpy(&x, a + i, 8);
    std::memcpy(&y, b + i, 8);
    count += onesIn(x ^ y);
  }
  return count;
}

}  // namespace seine
