// From a float32 score to bounds of the canonical score: one source for processors and GPUs.
#pragma once

#include <math.h>

#include "bound.h"
#include "hostAndDevice.h"

namespace seine {

/// Float32 ends: never NaN; (-infinity, infinity) where nothing is certain.
SEINE_HOST_AND_DEVICE inline Interval roundedOutward(double low, double high) {
  /// Beyond this a canonical score may have overflowed: nothing is concluded from such ends.
  constexpr double kLargest = 3e38;
  const float infinity = HUGE_VALF;
  // Written so that NaN is undecided too.
  if (!(fabs(low) < kLargest && fabs(high) < kLargest)) return {-infinity, infinity};
  return {nextafterf(static_cast<float>(low), -infinity), nextafterf(static_cast<float>(high), infinity)};
}

/// Where the canonical score is, `weight` as `rowWeight` gives it.
SEINE_HOST_AND_DEVICE inline Interval intervalOf(const Bound& bound, float score, float weight) {
  if (bound.metric == Metric::hamming) return {-score, -score};  // exact
  double low, high;
  const double s = score;
  if (bound.metric == Metric::l2) {
    low = -(s + 2 * bound.absolute) * (1 + 2 * bound.relative);
    high = -s / (1 + bound.relative) + 2 * bound.absolute;
  } else {
    const bool cosine = bound.metric == Metric::cosine;
    const double centre = cosine ? s * weight : s;
    const double error =
        cosine ? bound.relative + bound.absolute * weight : bound.relative * weight + bound.absolute;
    low = centre - error;
    high = centre + error;
  }
  return roundedOutward(low, high);
}

/// Where the score of a row with features is, from where its weighted similarity is: both ends go through the
/// operations of the canonical score, whose roundings keep their order. `weights` and `features` [count].
SEINE_HOST_AND_DEVICE inline Interval addFeatures(double low, double high, const float* weights,
                                                  const float* features, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const double term = static_cast<double>(weights[i]) * features[i];
    low += term;
    high += term;
  }
  return roundedOutward(low, high);
}

/// The same from where its similarity is. `weights` [1 + count].
SEINE_HOST_AND_DEVICE inline Interval weightedInterval(Interval similarity, const float* weights,
                                                       const float* features, size_t count) {
  const double scale = weights[0];
  const double low = scale * (scale < 0 ? similarity.high : similarity.low);
  const double high = scale * (scale < 0 ? similarity.low : similarity.high);
  return addFeatures(low, high, weights + 1, features, count);
}

}  // namespace seine
