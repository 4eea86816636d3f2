// Compares the scan of every instruction-set level of this processor with canonical scores: each score's
// interval must hold them, and every row that reaches a threshold must survive it. Prints a line a level;
// exits with 1 if a check fails. For processors that the tests only imitate, too.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "../../kernels/canonical.h"
#include "../../kernels/scan.h"
#include "../../native/alignedFloats.h"
#include "../../native/chunk.h"
#include "../../native/prepareQuery.h"

namespace {

using namespace seine;

constexpr size_t kRows = 51, kPadded = 52, kMostQueries = 9;

struct Kind {
  const char* name;
  std::function<float(std::mt19937&, size_t row, size_t column)> draw;
};

float normal(std::mt19937& random) { return std::normal_distribution<float>()(random); }

const std::vector<Kind> kKinds = {
    {"normal", [](std::mt19937& r, size_t, size_t) { return normal(r); }},
    {"equal", [](std::mt19937&, size_t, size_t column) { return std::sin(static_cast<float>(column + 1)); }},
    {"127", [](std::mt19937& r, size_t, size_t) { return r() % 2 == 0 ? 127.0f : -127.0f; }},
    {"zeros", [](std::mt19937& r, size_t row,
                 size_t) { return row % 2 == 0 ? (r() % 2 == 0 ? -0.0f : 0.0f) : normal(r); }},
    {"huge", [](std::mt19937& r, size_t, size_t) { return normal(r) * 1e30f; }},
    {"overflow", [](std::mt19937& r, size_t, size_t) { return normal(r) * (r() % 5 == 0 ? 6e37f : 1); }},
    {"denormal", [](std::mt19937& r, size_t, size_t) { return normal(r) * 1e-40f; }},
    {"any", [](std::mt19937& r, size_t,
               size_t) { return std::ldexp(normal(r), static_cast<int>(r() % 250) - 140); }},
    // Small terms that are lost, or count twice, beside the first.
    {"lost",
     [](std::mt19937&, size_t row, size_t column) {
       return column == 0 ? 1.0f : std::ldexp(1.0f + (row % 2 == 0 ? -1 : 1) * 0x1p-10f, -12);
     }},
};

std::vector<float> draw(const Kind& kind, size_t rows, size_t dim, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> values(rows * dim);
  for (size_t i = 0; i < values.size(); i++) {
    const float value = kind.draw(random, i / dim, i % dim);
    values[i] = std::isfinite(value) ? value : 3e38f;
  }
  return values;
}

bool failed = false;
size_t checks = 0;

void check(bool holds, const ScanKernel& kernel, const Kind& kind, Metric metric, size_t dim,
           const char* what) {
  checks++;
  if (holds) return;
  std::printf("FAILED: %s, %s, metric %d, dim %zu: %s\n", kernel.isa, kind.name, static_cast<int>(metric),
              dim, what);
  failed = true;
}

/// The first `q` of the queries against the rows of a chunk.
void test(const ScanKernel& kernel, const Kind& kind, const Layout& layout, const Chunk& chunk,
          const std::vector<float>& asked, size_t q) {
  const Metric metric = layout.metric;
  const size_t dim = layout.dim;
  const size_t stride = layout.stride;
  AlignedFloats queries(q * stride), scores(kMostQueries * (kPadded + kRowAlign)),
      weights(kPadded + kRowAlign);
  std::vector<double> norms(q);
  for (size_t i = 0; i < q; i++)
    norms[i] = prepareQuery(layout, &asked[i * dim], queries.data() + i * stride);
  std::vector<const float*> rows;
  for (size_t row = 0; row < kPadded + kRowGroup; row++) {
    rows.push_back(chunk.values + std::min(row, kRows - 1) * stride);
  }
  for (size_t row = 0; row < kRows && chunk.weights; row++) weights[row] = chunk.weights[row];
  constexpr size_t kScoreStride = 64;
  const auto score = metric == Metric::l2 ? kernel.squaredDistance : kernel.dot;
  score({rows.data(), kPadded, queries.data(), q, stride, scores.data(), kScoreStride});

  for (size_t i = 0; i < q; i++) {
    const Bound bound = makeBound(metric, stride, kernel.lanes, norms[i]);
    std::vector<float> wanted(kRows);
    canonicalScores(metric, &asked[i * dim], norms[i], rows.data(), chunk.norms.get(), kRows, dim,
                    wanted.data());
    if (metric == Metric::l2) {
      for (float& one : wanted) one = -one;
    }
    const float* const found = scores.data() + i * kScoreStride;
    for (size_t row = 0; row < kRows; row++) {
      const Interval interval = bound.interval(found[row], weights[row]);
      check(interval.low <= wanted[row] && wanted[row] <= interval.high, kernel, kind, metric, dim,
            "a canonical score lies outside of its interval");
    }
    std::vector<float> sorted = wanted;
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    for (const size_t k : {size_t{1}, size_t{4}, kRows}) {
      std::vector<uint32_t> positions(kRows);
      const size_t count =
          kernel.survivors(found, weights.data(), kRows, bound, sorted[k - 1], positions.data());
      positions.resize(count);
      for (uint32_t row = 0; row < kRows; row++) {
        check(wanted[row] < sorted[k - 1] || std::binary_search(positions.begin(), positions.end(), row),
              kernel, kind, metric, dim, "a row that reaches the threshold does not survive");
      }
      check(
          std::adjacent_find(positions.begin(), positions.end(), std::greater_equal<>()) == positions.end() &&
              (count == 0 || positions.back() < kRows),
          kernel, kind, metric, dim, "a row survives twice, or is none");
      if (std::string(kind.name) == "normal" && dim > 1) {
        check(count <= k + 1, kernel, kind, metric, dim, "rows below the threshold survive");
      }
    }
  }
}

}  // namespace

int main() {
  for (const ScanKernel* const* kernel = supportedKernels(); *kernel != nullptr; kernel++) {
    checks = 0;
    for (const Kind& kind : kKinds) {
      for (const size_t dim : {1, 3, 16, 17, 64, 100, 384, 1025, 4096}) {
        const std::vector<float> data = draw(kind, kRows, dim, 1), asked = draw(kind, kMostQueries, dim, 2);
        for (const Metric metric : {Metric::ip, Metric::cosine, Metric::l2}) {
          const Layout layout(dim, metric);
          Chunk chunk(layout, false);
          chunk.write(layout, 0, data.data(), kRows);
          for (const size_t q : {size_t{1}, size_t{2}, size_t{3}, kMostQueries}) {
            // Long rows with few queries, since an imitated processor is slow.
            if (dim <= 100 || q == 1 || q == 3) test(**kernel, kind, layout, chunk, asked, q);
          }
        }
      }
    }
    std::printf("%s: %zu checks\n", (*kernel)->isa, checks);
  }
  return failed ? 1 : 0;
}
