// From a product of codes to bounds of the canonical score: one source for processors and GPUs.
#pragma once

#include "codes.h"
#include "interval.h"

namespace seine {

/// Never NaN; (-infinity, infinity) where nothing is certain. `length`: the row's, rounded up; 1 for
/// `cosine`.
SEINE_HOST_AND_DEVICE inline Interval intervalOf(const CodeBound& bound, int32_t dot, CodedRow row,
                                                 float length) {
  constexpr double kSquareRounding = 32 * 0x1p-24;
  double centre = static_cast<double>(bound.scale) * row.scale * dot;
  double error = static_cast<double>(bound.lengthSlack) * length +
                 static_cast<double>(bound.errorSlack) * row.error + bound.slack;
  if (bound.metric == Metric::l2) {
    const double squares = bound.querySquare + static_cast<double>(length) * length;
    centre -= squares;
    error += kSquareRounding * squares;
  }
  return roundedOutward(centre - error, centre + error);
}

}  // namespace seine
