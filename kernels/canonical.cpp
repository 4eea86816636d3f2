// Compiled without contraction and never with relaxed arithmetic: a fused multiply-add or another order of
// the sum would change the last bit. Four rows at a time hide the latency of the additions; each row has a
// sum of its own, so the order within a row stays.
#include "canonical.h"

#include <cmath>
#include <cstring>

namespace seine {
namespace {

constexpr size_t kGroup = 4;

struct Product {
  static double term(float q, float x) { return static_cast<double>(q) * static_cast<double>(x); }
};

struct SquaredDifference {
  static double term(float q, float x) {
    const double difference = static_cast<double>(q) - static_cast<double>(x);
    return difference * difference;
  }
};

template <typename Term>
double sum(const float* query, const float* row, size_t dim) {
  double total = 0;
  for (size_t i = 0; i < dim; i++) total += Term::term(query[i], row[i]);
  return total;
}

template <typename Term>
void sums(const float* query, const float* const* rows, size_t count, size_t dim, double* totals) {
  size_t r = 0;
  for (; r + kGroup <= count; r += kGroup) {
    const float *a = rows[r], *b = rows[r + 1], *c = rows[r + 2], *d = rows[r + 3];
    double sumA = 0, sumB = 0, sumC = 0, sumD = 0;
    for (size_t i = 0; i < dim; i++) {
      const float q = query[i];
      sumA += Term::term(q, a[i]);
      sumB += Term::term(q, b[i]);
      sumC += Term::term(q, c[i]);
      sumD += Term::term(q, d[i]);
    }
    totals[r] = sumA;
    totals[r + 1] = sumB;
    totals[r + 2] = sumC;
    totals[r + 3] = sumD;
  }
  for (; r < count; r++) totals[r] = sum<Term>(query, rows[r], dim);
}

double weighted(double similarity, const Weighing& weighing, const float* features) {
  double total = weighing.weights[0] * similarity;
  for (size_t i = 0; i < weighing.count; i++) total += Product::term(weighing.weights[1 + i], features[i]);
  return total;
}

uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

/// Unsigned integers in the order of the floats (which are not NaN).
uint32_t ordered(float value) {
  const uint32_t bits = bitsOf(value);
  return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}

}  // namespace

double canonicalNorm(const float* values, size_t dim) { return std::sqrt(sum<Product>(values, values, dim)); }

void canonicalNorms(const float* rows, size_t count, size_t stride, size_t dim, double* norms) {
  size_t r = 0;
  for (; r + kGroup <= count; r += kGroup) {
    const float* row = rows + r * stride;
    double total[kGroup] = {};
    for (size_t i = 0; i < dim; i++) {
      for (size_t g = 0; g < kGroup; g++) {
        const float x = row[g * stride + i];
        total[g] += Product::term(x, x);
      }
    }
    for (size_t g = 0; g < kGroup; g++) norms[r + g] = std::sqrt(total[g]);
  }
  for (; r < count; r++) norms[r] = canonicalNorm(rows + r * stride, dim);
}

void canonicalScores(Metric metric, const float* query, double queryNorm, const float* const* rows,
                     const double* norms, size_t count, size_t dim, float* scores, const Weighing* weighing) {
  constexpr size_t kBlock = 64;
  double totals[kBlock];
  for (size_t start = 0; start < count; start += kBlock) {
    const size_t block = count - start < kBlock ? count - start : kBlock;
    if (metric == Metric::l2) {
      sums<SquaredDifference>(query, rows + start, block, dim, totals);
    } else {
      sums<Product>(query, rows + start, block, dim, totals);
    }
    for (size_t i = 0; i < block; i++) {
      double score = totals[i];
      if (metric == Metric::cosine) {
        const double product = queryNorm * norms[start + i];
        score = product == 0 ? 0 : score / product;
      }
      if (weighing != nullptr) score = weighted(score, *weighing, weighing->features[start + i]);
      const float rounded = static_cast<float>(score);
      scores[start + i] = rounded == 0 ? 0.0f : rounded;
    }
  }
}

float canonicalMaxsim(const float* query, size_t queryTokens, const float* const* tokens, size_t count,
                      size_t dim) {
  constexpr size_t kBlock = 64;
  double products[kBlock];
  double total = 0;
  for (size_t t = 0; t < queryTokens; t++) {
    double best = -HUGE_VAL;
    for (size_t start = 0; start < count; start += kBlock) {
      const size_t block = count - start < kBlock ? count - start : kBlock;
      sums<Product>(query + t * dim, tokens + start, block, dim, products);
      for (size_t i = 0; i < block; i++) best = products[i] > best ? products[i] : best;
    }
    total += best;
  }
  const auto rounded = static_cast<float>(total);
  return rounded == 0 ? 0.0f : rounded;
}

uint64_t orderKey(bool lowest, float score, uint32_t row) {
  const uint32_t rising = ordered(score);
  return static_cast<uint64_t>(lowest ? rising : ~rising) << 32 | row;
}

uint32_t keyRow(uint64_t key) { return static_cast<uint32_t>(key); }

float keyScore(bool lowest, uint64_t key) {
  const uint32_t high = static_cast<uint32_t>(key >> 32);
  const uint32_t rising = lowest ? high : ~high;
  const uint32_t bits = (rising & 0x80000000u) != 0 ? rising & 0x7fffffffu : ~rising;
  float score;
  std::memcpy(&score, &bits, sizeof score);
  return score;
}

}  // namespace seine
