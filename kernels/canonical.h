// The canonical score: what every device reports, bit for bit the same.
#pragma once

#include <cstddef>
#include <cstdint>

#include "metric.h"

namespace seine {

/// Euclidean length of `values` [dim]: the square root of a float64 sum in index order.
double canonicalNorm(const float* values, size_t dim);

/// Lengths of `count` rows that lie `stride` floats apart, into `norms` [count].
void canonicalNorms(const float* rows, size_t count, size_t stride, size_t dim, double* norms);

/// What makes the score of a row with features of its similarity:
/// `weights[0] * similarity + weights[1] * features[0] + …`.
struct Weighing {
  const float* weights;  // [1 + count]
  size_t count;
  const float* const* features;  // of each row [count]
};

/// Scores of `count` rows (pointers to [dim]) into `scores` [count]: the float32 rounding of a float64 sum in
/// index order, -0 as 0. `cosine` divides by `queryNorm * norms[i]` and is 0 if that is 0; `norms` is not
/// read for the other metrics. With `weighing` each product with a weight and each sum of these, in order, is
/// rounded to float64 before.
void canonicalScores(Metric metric, const float* query, double queryNorm, const float* const* rows,
                     const double* norms, size_t count, size_t dim, float* scores,
                     const Weighing* weighing = nullptr);

/// Late interaction of `queryTokens` tokens, [queryTokens, dim], with those of a document (`count` pointers
/// to [dim]): for each of the query's, in order, the highest float64 product in index order with one of the
/// document's, -infinity without any; their float64 sum, rounded to float32, -0 as 0.
float canonicalMaxsim(const float* query, size_t queryTokens, const float* const* tokens, size_t count,
                      size_t dim);

/// One key that settles every tie: the better score is the smaller key, equal scores go to the lower row. The
/// score is neither NaN nor -0; `lowest`: lower scores are better.
uint64_t orderKey(bool lowest, float score, uint32_t row);
inline uint64_t orderKey(Metric metric, float score, uint32_t row) {
  return orderKey(isDistance(metric), score, row);
}

/// The parts of a key.
uint32_t keyRow(uint64_t key);
float keyScore(bool lowest, uint64_t key);
inline float keyScore(Metric metric, uint64_t key) { return keyScore(isDistance(metric), key); }

}  // namespace seine
