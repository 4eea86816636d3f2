// From a float32 score to bounds of the canonical score: one source for processors and GPUs.
#pragma once

#include <math.h>

#include "bound.h"

#if defined(__CUDACC__)
#define SEINE_HOST_AND_DEVICE __host__ __device__
#else
#define SEINE_HOST_AND_DEVICE
#endif

namespace seine {

/// Never NaN; (-infinity, infinity) where nothing is certain.
SEINE_HOST_AND_DEVICE inline Interval intervalOf(const Bound& bound, float score, float weight) {
  /// Beyond this a canonical score may have overflowed: nothing is concluded from such a float32 score.
  constexpr double kLargest = 3e38;
  const float infinity = HUGE_VALF;
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
  // Written so that NaN is undecided too.
  if (!(fabs(low) < kLargest && fabs(high) < kLargest)) return {-infinity, infinity};
  return {nextafterf(static_cast<float>(low), -infinity), nextafterf(static_cast<float>(high), infinity)};
}

}  // namespace seine
