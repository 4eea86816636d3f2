// Compiled once for each instruction-set level, with that level's flags, and with SEINE_KERNEL naming the
// table that it defines. Nothing here may be inline with external linkage: see quantize.cpp.
#include "encode.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include <cstring>

namespace seine {
namespace {

/// Adding and subtracting it rounds a double below 2^51 to a whole number, ties to even.
constexpr double kRounder = 0x1.8p52;

float largestOf(const float* values, size_t dim) {
  uint32_t most = 0;
  for (size_t i = 0; i < dim; i++) {
    uint32_t bits;
    std::memcpy(&bits, values + i, sizeof bits);
    bits &= 0x7fffffffu;
    most = bits > most ? bits : most;
  }
  float largest;
  std::memcpy(&largest, &most, sizeof largest);
  return largest;
}

uint8_t stored(double code) { return static_cast<uint8_t>(static_cast<int>(code) + 128); }

#if defined(__AVX2__)
constexpr size_t kAtOnce = 8;

struct Rounding {
  explicit Rounding(double scale) : scale_(_mm256_set1_pd(scale)), inverse_(_mm256_set1_pd(1 / scale)) {}

  void add(const float* values, size_t step, uint8_t* codes) {
    const __m128i low = half(_mm_loadu_ps(values), low_), high = half(_mm_loadu_ps(values + 4), high_);
    const __m128i words = _mm_packs_epi32(low, high);
    const __m128i bytes = _mm_xor_si128(_mm_packs_epi16(words, words), _mm_set1_epi8(-128));
    const int quads[2] = {_mm_extract_epi32(bytes, 0), _mm_extract_epi32(bytes, 1)};
    for (size_t i = 0; i < 2; i++) std::memcpy(codes + i * step, &quads[i], 4);
  }
  double sum() const {
    double sums[4];
    _mm256_storeu_pd(sums, _mm256_add_pd(low_, high_));
    return sums[0] + sums[1] + sums[2] + sums[3];
  }

 private:
  __m128i half(__m128 values, __m256d& sum) {
    const __m256d wide = _mm256_cvtps_pd(values);
    const __m128i code = _mm256_cvtpd_epi32(_mm256_mul_pd(wide, inverse_));
    const __m256d rest = _mm256_fnmadd_pd(scale_, _mm256_cvtepi32_pd(code), wide);
    sum = _mm256_fmadd_pd(rest, rest, sum);
    return code;
  }

  const __m256d scale_, inverse_;
  __m256d low_ = _mm256_setzero_pd(), high_ = _mm256_setzero_pd();  // two, to hide the latency of additions
};
#else
constexpr size_t kAtOnce = 4;

struct Rounding {
  explicit Rounding(double scale) : scale_(scale), inverse_(1 / scale) {}

  void add(const float* values, size_t, uint8_t* codes) {
    for (size_t i = 0; i < kAtOnce; i++) {  // side by side, to hide the latency of additions
      const double code = values[i] * inverse_ + kRounder - kRounder;
      const double rest = values[i] - scale_ * code;
      sums_[i] += rest * rest;
      codes[i] = stored(code);
    }
  }
  double sum() const { return sums_[0] + sums_[1] + sums_[2] + sums_[3]; }

 private:
  const double scale_, inverse_;
  double sums_[kAtOnce] = {};
};
#endif

double round(const float* values, size_t dim, double scale, size_t step, uint8_t* codes) {
  Rounding rounding(scale);
  const size_t whole = dim / kAtOnce * kAtOnce;
  for (size_t i = 0; i < whole; i += kAtOnce) rounding.add(values + i, step, codes + i / 4 * step);
  double sum = rounding.sum();
  const double inverse = 1 / scale;
  for (size_t i = whole; i < dim; i++) {
    const double code = values[i] * inverse + kRounder - kRounder;
    const double rest = values[i] - scale * code;
    sum += rest * rest;
    codes[i / 4 * step + i % 4] = stored(code);
  }
  return sum;
}

}  // namespace

extern const EncodeKernel SEINE_KERNEL = {largestOf, round};

}  // namespace seine
