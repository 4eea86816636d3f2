// Rows and queries as int8 codes, and how far a product of codes can be from the canonical score. Derivation:
// README.md in this folder; the same in float64: ts/device/reference/certify.ts.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bound.h"
#include "encode.h"

namespace seine {

/// Codes of this many rows lie interleaved: [code / 4][row][code % 4].
constexpr size_t kCodeGroup = 16;
/// A row's codes are padded with zeros to a multiple of this.
constexpr size_t kCodeAlign = 64;

/// What is kept beside a row's codes: row / divisor = scale * codes + a rest of length `error` at most, where
/// the divisor is the row's length for `cosine` and 1 else. A row whose numbers are out of range has an
/// infinite error.
struct CodedRow {
  float scale;
  float error;
};

/// Writes the codes of `row` [dim], whose length is `length`, into `codes`: the first code of the row in its
/// group. Codes are stored as unsigned numbers, 128 higher.
CodedRow encodeRow(const EncodeKernel& encode, Metric metric, const float* row, size_t dim, double length,
                   uint8_t* codes);

/// The largest difference between a product of codes and a canonical score, for one query.
struct CodeBound {
  Metric metric;
  /// The query is scale * codes + a rest; 0 if its numbers are out of range: then there is no bound.
  float scale;
  /// With `w` the length of the row (1 for `cosine`) and `dot` the product of the codes, twice both for `l2`:
  /// scale * row.scale * dot lies within lengthSlack * w + errorSlack * row.error + slack of the canonical
  /// score.
  float lengthSlack;
  float errorSlack;
  float slack;
  /// For `l2`: the squared length of the query and of the row are taken off, these shares of them at least.
  float queryShare;
  float rowShare;
  double querySquare;

  Interval interval(int32_t dot, CodedRow row, float length) const;
};

/// Where sums are `narrow`, so many times two neighbouring products are added up in 16 bits: those of the
/// first or the last two of each four codes.
constexpr size_t kNarrowQuads = 4;

/// Writes the codes of `query` [dim] (as the scan takes it: of unit length for `cosine`) into `codes` [dim],
/// coarser ones if `narrow` sums could overflow.
CodeBound encodeQuery(Metric metric, const float* query, size_t dim, bool narrow, int8_t* codes);

}  // namespace seine
