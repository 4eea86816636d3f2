#include "codes.h"

#include <cmath>
#include <limits>

#include "canonical.h"
#include "codeInterval.h"

namespace seine {
namespace {

constexpr double kUnit = 0x1p-24;     // largest relative error of a float32 rounding
constexpr double kMostLength = 1e18;  // beyond it squares come near the largest float32
constexpr double kLargestCode = 127;
constexpr int kLargestStored = 255;
constexpr float kSmallestNormal = std::numeric_limits<float>::min();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Not below `value`, and no denormal number.
float above(double value) {
  if (value == 0) return 0;
  return std::fmax(std::nextafter(static_cast<float>(value), kInfinity), kSmallestNormal);
}
float below(double value) { return std::nextafter(static_cast<float>(value), -kInfinity); }

/// Numbers side by side hide the latency of comparisons and additions.
constexpr size_t kAtOnce = 4;

float largestOf(const float* values, size_t dim) {
  float largest[kAtOnce] = {};
  const auto step = [&](size_t at, float& most) {
    most = std::fabs(values[at]) > most ? std::fabs(values[at]) : most;
  };
  size_t i = 0;
  for (; i + kAtOnce <= dim; i += kAtOnce) {
    for (size_t j = 0; j < kAtOnce; j++) step(i + j, largest[j]);
  }
  for (; i < dim; i++) step(i, largest[0]);
  return std::fmax(std::fmax(largest[0], largest[1]), std::fmax(largest[2], largest[3]));
}

/// At least the length of what rounding takes away of numbers of this length, by the sum of its squares: with
/// what float64 lost in the sum, in the square root, and where a product was taken from a number.
double restLength(double squares, double length) {
  return std::sqrt(squares) * (1 + 1e-10) + length * 0x1p-50;
}

/// Rounds values / scale and gives each code to `store(i, code)`; returns at least the length of the rest.
template <typename Store>
double round(const float* values, size_t dim, double length, double scale, Store store) {
  constexpr double kRounder = 0x1.8p52;  // adding and subtracting it rounds to an integer
  const double inverse = 1 / scale;
  double sums[kAtOnce] = {};
  size_t i = 0;
  const auto step = [&](size_t at, double& sum) {
    const double code = values[at] * inverse + kRounder - kRounder;
    const double rest = values[at] - scale * code;
    sum += rest * rest;
    store(at, static_cast<int>(code));
  };
  for (; i + kAtOnce <= dim; i += kAtOnce) {
    for (size_t s = 0; s < kAtOnce; s++) step(i + s, sums[s]);
  }
  for (; i < dim; i++) step(i, sums[0]);
  return restLength(sums[0] + sums[1] + sums[2] + sums[3], length);
}

/// The largest sum of the positive, or of the negative, numbers that narrow sums add up.
double largestNarrowSum(const float* values, size_t dim) {
  double most = 0;
  for (size_t start = 0; start < dim; start += kNarrowQuads * 4) {
    double sums[4] = {};
    for (size_t i = start; i < dim && i < start + kNarrowQuads * 4; i++) {
      sums[(i & 2) + (values[i] > 0 ? 1 : 0)] += std::fabs(values[i]);
    }
    for (const double sum : sums) most = std::fmax(most, sum);
  }
  return most;
}

/// Of a query's codes: with it no part of a narrow sum leaves 16 bits. Each code is rounded up by a half at
/// most.
double narrowScale(const float* query, size_t dim) {
  constexpr int kMostSum = std::numeric_limits<int16_t>::max() / kLargestStored;
  return largestNarrowSum(query, dim) / (kMostSum - kNarrowQuads);
}

}  // namespace

CodedRow encodeRow(const EncodeKernel& encode, Metric metric, const float* row, size_t dim, double length,
                   uint8_t* codes) {
  constexpr uint8_t kZero = 128;
  constexpr size_t kStep = 4 * kCodeGroup;
  const double divisor = metric == Metric::cosine && length > 0 ? length : 1;
  const double scale = encode.largest(row, dim) / kLargestCode;
  const bool tiny = scale / divisor < kSmallestNormal;
  const size_t padded = (dim + kCodeAlign - 1) / kCodeAlign * kCodeAlign;
  for (size_t i = tiny ? 0 : dim; i < padded; i++) codes[i / 4 * kStep + i % 4] = kZero;
  if (tiny) return {0, above(length / divisor)};
  const double error = restLength(encode.round(row, dim, scale, kStep, codes), length);
  if (!(length / divisor <= kMostLength)) return {0, kInfinity};
  return {static_cast<float>(scale / divisor), above(error / divisor)};
}

CodeBound encodeQuery(Metric metric, const float* query, size_t dim, bool narrow, int8_t* codes) {
  CodeBound bound = {metric, 0, 0, 0, 0, 0, 0, 0};
  const double length = canonicalNorm(query, dim);
  double scale = largestOf(query, dim) / kLargestCode;
  if (narrow) scale = std::fmax(scale, narrowScale(query, dim));
  if (!(scale >= kSmallestNormal && length <= kMostLength)) return bound;
  const double rest =
      round(query, dim, length, scale, [&](size_t i, int code) { codes[i] = static_cast<int8_t>(code); });
  const double factor = metric == Metric::l2 ? 2 : 1;
  bound.scale = static_cast<float>(factor * scale);
  // Sixteen roundings of products of lengths, and eight of the bound itself.
  const double rounding = 16 * kUnit * (length + rest);
  bound.lengthSlack = above(factor * (rest + rounding) * (1 + 8 * kUnit));
  bound.errorSlack = above(factor * (length + rest + rounding) * (1 + 8 * kUnit));
  bound.slack = kSmallestNormal;  // more than underflows lose; a denormal number would be slow to add
  if (metric == Metric::l2) {
    bound.querySquare = length * length;
    bound.queryShare = below(bound.querySquare * (1 - 32 * kUnit));
    bound.rowShare = static_cast<float>(1 - 32 * kUnit);
  }
  return bound;
}

Interval CodeBound::interval(int32_t dot, CodedRow row, float length) const {
  return intervalOf(*this, dot, row, length);
}

}  // namespace seine
