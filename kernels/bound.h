// How far a float32 score of the scan can be from the canonical score. Derivation: README.md in this folder.
#pragma once

#include <cstddef>

#include "metric.h"

namespace seine {

/// Bounds of a canonical score, oriented so that higher is better (distances negated). Infinite where
/// undecided.
struct Interval {
  float low;
  float high;
};

/// The error bound of one query. `weight` is what `rowWeight` gives for the row.
struct Bound {
  Metric metric;
  /// Relative and absolute error.
  double relative;
  double absolute;
  /// `(score + shift) * (scale + weightScale * weight) + (slack + weightSlack * weight)` is, in float32,
  /// never below the canonical score if `score` is finite.
  float shift;
  float scale;
  float weightScale;
  float slack;
  float weightSlack;

  Interval interval(float score, float weight) const;
};

/// For rows of `stride` floats (zero-padded) that are summed in `lanes` sums. `queryNorm` is the query's
/// length.
Bound makeBound(Metric metric, size_t stride, unsigned lanes, double queryNorm);

/// What the scan keeps of a row: its length rounded up for `ip`; for `cosine` the inverse of its length, 0
/// for a row of zeros, NaN if float32 cannot hold it (such a row is always undecided); 0 for distances.
float rowWeight(Metric metric, double norm);

}  // namespace seine
