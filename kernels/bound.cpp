#include "bound.h"

#include <cmath>
#include <limits>

#include "interval.h"

namespace seine {
namespace {

constexpr double kUnit = 0x1p-24;       // largest relative error of a float32 rounding
constexpr double kSmallest = 0x1p-149;  // smallest float32, twice the largest absolute error of an underflow
constexpr float kInfinity = std::numeric_limits<float>::infinity();

float above(double value) { return std::nextafter(static_cast<float>(value), kInfinity); }

}  // namespace

Bound makeBound(Metric metric, size_t stride, unsigned lanes, double queryNorm) {
  double roundings = static_cast<double>(stride) / lanes + 2;
  for (unsigned width = lanes; width > 1; width /= 2) roundings++;
  // Eight more: rounding the query to unit length, the canonical rounding, and the arithmetic of the bound.
  roundings += 8;
  const double gamma = roundings * kUnit / (1 - roundings * kUnit);
  const double tiny = static_cast<double>(stride + 8) * kSmallest;
  // Not below `tiny`, and not denormal: processors are slow to add such numbers.
  const float slack = std::fmax(static_cast<float>(tiny), std::numeric_limits<float>::min());
  switch (metric) {
    case Metric::ip:
      return {metric, gamma * queryNorm, tiny, 0, 1, 0, slack, above(gamma * queryNorm)};
    case Metric::cosine:
      return {metric, gamma, tiny, slack, 0, 1, above(gamma), 0};
    case Metric::hamming:
      return {metric, 0, 0, 0, -1, 0, 0, 0};
    default:
      return {metric, gamma, tiny, 0, above(-1 / (1 + gamma)), 0, 2 * slack, 0};
  }
}

Interval Bound::interval(float score, float weight) const { return intervalOf(*this, score, weight); }

float rowWeight(Metric metric, double norm) {
  if (metric == Metric::ip) return above(norm);
  if (isDistance(metric) || norm == 0) return 0;
  const double inverse = 1 / norm;
  const bool normal = inverse >= std::numeric_limits<float>::min() && inverse <= 3e38;
  return normal ? static_cast<float>(inverse) : std::numeric_limits<float>::quiet_NaN();
}

}  // namespace seine
