// Compiled once for each instruction-set level, with SEINE_SIMD naming the header of its vector type,
// SEINE_DOT that of its integer products and SEINE_KERNEL the table that it defines. Nothing here may be
// inline with external linkage: see scan.cpp.
#include "certify.h"

#include <math.h>

#include SEINE_SIMD
#include SEINE_DOT

namespace seine {
namespace {

template <Metric kMetric>
size_t reaching(const int32_t* dots, const CodedRows& rows, size_t count, const CodeBound& bound,
                float threshold, uint32_t* positions) {
  const Vector scale = broadcast(bound.scale), lengthSlack = broadcast(bound.lengthSlack);
  const Vector errorSlack = broadcast(bound.errorSlack), limit = broadcast(threshold);
  const Vector slack = broadcast(kMetric == Metric::cosine ? bound.slack + bound.lengthSlack : bound.slack);
  const Vector rowShare = broadcast(bound.rowShare), queryShare = broadcast(bound.queryShare);
  size_t found = 0;
  for (size_t i = 0; i < count; i += kLanes) {
    Vector error = multiplyAdd(errorSlack, load(rows.errors + i), slack);
    const Vector product = multiply(convert(dots + i), load(rows.scales + i));
    Vector high;
    if constexpr (kMetric == Metric::cosine) {
      high = multiplyAdd(scale, product, error);
    } else {
      const Vector length = load(rows.lengths + i);
      high = multiplyAdd(scale, product, multiplyAdd(lengthSlack, length, error));
      if constexpr (kMetric == Metric::l2) {
        high = subtract(high, multiplyAdd(multiply(length, rowShare), length, queryShare));
      }
    }
    if (rows.added != nullptr) high = add(high, load(rows.added + i));
    // Written so that NaN stays in.
    uint32_t bits = ~less(high, limit) & kAllLanes;
    if (bits == 0) continue;
    if (rows.allowed != nullptr) bits &= rows.allowed[i / 32] >> (i % 32);
    if (count - i < kLanes) bits &= (1u << (count - i)) - 1;
    for (; bits != 0; bits &= bits - 1) {
      positions[found++] = static_cast<uint32_t>(i) + lowestBit(bits);
    }
  }
  return found;
}

size_t survivors(const int32_t* dots, const CodedRows& rows, size_t count, const CodeBound& bound,
                 float threshold, uint32_t* positions) {
  const auto run = bound.metric == Metric::ip       ? reaching<Metric::ip>
                   : bound.metric == Metric::cosine ? reaching<Metric::cosine>
                                                    : reaching<Metric::l2>;
  return run(dots, rows, count, bound, threshold, positions);
}

/// Derivation: README.md in this folder. Compilers make vectors of these loops.
void weigh(const float* features, size_t stride, const float* weights, size_t width, size_t count,
           float* added) {
  constexpr size_t kAtOnce = 64;
  constexpr float kUnit = 0x1p-24f, kMost = 1e38f, kInfinity = HUGE_VALF;
  const float share = static_cast<float>(2 * width + 16) * kUnit;
  for (size_t first = 0; first < count; first += kAtOnce) {
    const size_t rows = count - first < kAtOnce ? count - first : kAtOnce;
    float sums[kAtOnce] = {}, sizes[kAtOnce] = {};
    for (size_t i = 0; i < width; i++) {
      const float weight = weights[i];
      const float* const from = features + i * stride + first;
      for (size_t row = 0; row < rows; row++) {
        const float term = weight * from[row];
        sums[row] += term;
        sizes[row] += term < 0 ? -term : term;
      }
    }
    for (size_t row = 0; row < rows; row++) {
      added[first + row] = sizes[row] < kMost ? sums[row] + share * sizes[row] : kInfinity;
    }
  }
}

}  // namespace

extern const CertifyKernel SEINE_KERNEL = {kNarrowSums, dotBlock, survivors, weigh};

}  // namespace seine
