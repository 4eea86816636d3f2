// Compiled once for each instruction-set level, with that level's flags, without contraction, and with
// SEINE_KERNEL naming the table that it defines. Nothing here may be inline with external linkage: the linker
// could keep the copy that older processors cannot run. Loops are written so that compilers vectorize them;
// intrinsics stand where they do not.
#include "quantize.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include <cmath>
#include <cstring>
#include <limits>

namespace seine {
namespace {

constexpr float kLeast = 0x1p-149f;
/// The largest with which 127 does not overflow.
constexpr float kLargestScale = 8454659 * 0x1p98f;
/// Adding and subtracting it rounds a double below 2^51 to a whole number, ties to even.
constexpr double kRounder = 0x1.8p52;
/// More than a float64 sum over 65536 columns can be off.
constexpr double kUp = 1 + 0x1p-36;

uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

float ofBits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// `n` / 2^shift rounded to nearest, ties to even.
uint32_t shiftRounding(uint32_t n, uint32_t shift) {
  return (n + (1u << (shift - 1)) - 1 + ((n >> shift) & 1)) >> shift;
}

uint16_t halfOf(float value) {
  const uint32_t bits = bitsOf(value), magnitude = bits & 0x7fffffffu;
  const uint32_t sign = bits >> 16 & 0x8000u;
  uint32_t half = 0;
  if (magnitude >= 0x38800000u) {
    half = shiftRounding(magnitude - 0x38000000u, 13);
    if (half > 0x7c00u) half = 0x7c00u;
  } else if (magnitude >> 23 >= 101) {
    half = shiftRounding((magnitude & 0x7fffffu) | 0x800000u, 126 - (magnitude >> 23));
  }
  return static_cast<uint16_t>(sign | half);
}

/// Index of the first code whose magnitude reaches `infinity`, or `count`.
size_t firstInfinite(const uint16_t* codes, size_t count, uint16_t infinity) {
  constexpr size_t kBlock = 1024;
  for (size_t start = 0; start < count; start += kBlock) {
    const size_t end = start + kBlock < count ? start + kBlock : count;
    uint16_t most = 0;
    for (size_t i = start; i < end; i++) {
      const auto magnitude = static_cast<uint16_t>(codes[i] & 0x7fffu);
      most = magnitude > most ? magnitude : most;
    }
    if (most < infinity) continue;
    for (size_t i = start;; i++) {
      if ((codes[i] & 0x7fffu) >= infinity) return i;
    }
  }
  return count;
}

size_t toHalves(const float* values, size_t count, uint16_t* halves) {
  size_t i = 0;
#if defined(__AVX512F__)
  for (; i + 16 <= count; i += 16) {
    const __m256i codes =
        _mm512_cvtps_ph(_mm512_loadu_ps(values + i), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(halves + i), codes);
  }
#elif defined(__F16C__)
  for (; i + 8 <= count; i += 8) {
    const __m128i codes =
        _mm256_cvtps_ph(_mm256_loadu_ps(values + i), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(halves + i), codes);
  }
#endif
  for (; i < count; i++) halves[i] = halfOf(values[i]);
  return firstInfinite(halves, count, 0x7c00);
}

size_t toBfloats(const float* values, size_t count, uint16_t* bfloats) {
  for (size_t i = 0; i < count; i++) {
    const uint32_t bits = bitsOf(values[i]);
    bfloats[i] = static_cast<uint16_t>((bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
  }
  return firstInfinite(bfloats, count, 0x7f80);
}

float scaleOf(const float* values, size_t dim) {
  uint32_t most = 0;
  for (size_t i = 0; i < dim; i++) {
    const uint32_t magnitude = bitsOf(values[i]) & 0x7fffffffu;
    most = magnitude > most ? magnitude : most;
  }
  const double largest = ofBits(most);
  const auto nearest = static_cast<float>(largest / 127);
  const float scale = nearest < kLargestScale ? nearest : kLargestScale;
  return scale * 127.5 < largest ? scale + kLeast : scale;
}

void encodeRow(const float* values, size_t dim, float scale, int8_t* codes) {
  if (scale == 0) {
    std::memset(codes, 0, dim);
    return;
  }
  for (size_t i = 0; i < dim; i++) {
    const double rounded = static_cast<double>(values[i]) / scale + kRounder - kRounder;
    const double below = rounded < 127 ? rounded : 127;
    codes[i] = static_cast<int8_t>(static_cast<int>(below > -127 ? below : -127));
  }
}

/// The smallest float32 that is at least `value`.
float roundedUp(double value) {
  const auto near = static_cast<float>(value);
  return near >= value ? near : ofBits(bitsOf(near) + 1);
}

/// Four rows side by side, since each sum is in the order of the columns.
template <size_t kRows>
void measureErrors(const float* values, size_t dim, const int8_t* codes, const float* scales, float* errors) {
  double sums[kRows] = {};
  for (size_t i = 0; i < dim; i++) {
    for (size_t r = 0; r < kRows; r++) {
      const float stored = static_cast<float>(codes[r * dim + i]) * scales[r];
      const double error = static_cast<double>(values[r * dim + i]) - stored;
      sums[r] += error * error;
    }
  }
  for (size_t r = 0; r < kRows; r++) errors[r] = roundedUp(std::sqrt(sums[r]) * kUp);
}

void toCodes(const float* values, size_t rows, size_t dim, int8_t* codes, float* scales, float* errors) {
  for (size_t row = 0; row < rows; row++) {
    scales[row] = scaleOf(values + row * dim, dim);
    encodeRow(values + row * dim, dim, scales[row], codes + row * dim);
  }
  size_t row = 0;
  for (; row + 4 <= rows; row += 4) {
    measureErrors<4>(values + row * dim, dim, codes + row * dim, scales + row, errors + row);
  }
  for (; row < rows; row++) {
    measureErrors<1>(values + row * dim, dim, codes + row * dim, scales + row, errors + row);
  }
}

void toBits(const float* values, size_t dim, uint32_t* words) {
  for (size_t start = 0; start < dim; start += 32, words++) {
    uint32_t bits = 0;
#if defined(__AVX512F__)
    if (start + 32 <= dim) {
      const __m512 zero = _mm512_setzero_ps();
      bits = _mm512_cmp_ps_mask(_mm512_loadu_ps(values + start), zero, _CMP_GT_OQ) |
             static_cast<uint32_t>(_mm512_cmp_ps_mask(_mm512_loadu_ps(values + start + 16), zero, _CMP_GT_OQ))
                 << 16;
      *words = bits;
      continue;
    }
#elif defined(__AVX2__)
    if (start + 32 <= dim) {
      for (unsigned part = 0; part < 4; part++) {
        const __m256 above =
            _mm256_cmp_ps(_mm256_loadu_ps(values + start + part * 8), _mm256_setzero_ps(), _CMP_GT_OQ);
        bits |= static_cast<uint32_t>(_mm256_movemask_ps(above)) << (part * 8);
      }
      *words = bits;
      continue;
    }
#endif
    const size_t count = dim - start < 32 ? dim - start : 32;
    for (size_t i = 0; i < count; i++) bits |= static_cast<uint32_t>(values[start + i] > 0) << i;
    *words = bits;
  }
}

}  // namespace

extern const QuantizeKernel SEINE_KERNEL = {toHalves, toBfloats, toCodes, toBits};

}  // namespace seine
