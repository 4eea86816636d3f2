// Compares the scan of every instruction-set level of this processor with canonical scores: each score's
// interval must hold them, and every row that reaches a threshold must survive it. Prints a line a level;
// exits with 1 if a check fails. For processors that the tests only imitate, too.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "../../kernels/canonical.h"
#include "../../kernels/decode.h"
#include "../../kernels/isa.h"
#include "../../native/alignedArray.h"
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

void check(bool holds, const Isa& isa, const Kind& kind, const Layout& layout, const char* what) {
  checks++;
  if (holds) return;
  std::printf("FAILED: %s, %s, metric %d, dtype %d, dim %zu: %s\n", isa.name, kind.name,
              static_cast<int>(layout.metric), static_cast<int>(layout.dtype), layout.dim, what);
  failed = true;
}

/// Rows in the form of `layout`, as the level makes it; false if that cannot hold them.
bool store(const Isa& isa, const Layout& layout, const std::vector<float>& data, Chunk& chunk) {
  const size_t count = data.size(), bytes = layout.storedBytes();
  std::vector<uint8_t> numbers(kRows * bytes);
  std::vector<float> scales(kRows), errors(kRows);
  const QuantizeKernel& kernel = *isa.quantize;
  auto* const halves = reinterpret_cast<uint16_t*>(numbers.data());
  switch (layout.dtype) {
    case Dtype::f32:
      std::memcpy(numbers.data(), data.data(), numbers.size());
      break;
    case Dtype::f16:
      if (kernel.toHalves(data.data(), count, halves) < count) return false;
      break;
    case Dtype::bf16:
      if (kernel.toBfloats(data.data(), count, halves) < count) return false;
      break;
    case Dtype::int8:
      kernel.toCodes(data.data(), kRows, layout.dim, reinterpret_cast<int8_t*>(numbers.data()), scales.data(),
                     errors.data());
      break;
    default:
      for (size_t row = 0; row < kRows; row++) {
        kernel.toBits(&data[row * layout.dim], layout.dim,
                      reinterpret_cast<uint32_t*>(numbers.data() + row * bytes));
      }
  }
  chunk.copy(layout, 0, {numbers.data(), scales.data(), kRows});
  chunk.measure(layout, *isa.encode, 0, kRows);
  return true;
}

/// The canonical scores of all rows for a query.
std::vector<float> canonical(const Layout& layout, const Chunk& chunk, const SearchTask& task, size_t query,
                             double norm, const float* prepared) {
  std::vector<float> scores(kRows), decoded(kRows * layout.dim);
  std::vector<const float*> rows(kRows);
  for (size_t row = 0; row < kRows; row++) {
    if (layout.dtype == Dtype::binary) {
      scores[row] = static_cast<float>(differingBits(reinterpret_cast<const uint8_t*>(prepared),
                                                     chunk.row(layout, row), layout.bytesOf(layout.stride)));
      continue;
    }
    rows[row] = &decoded[row * layout.dim];
    chunk.decode(layout, row, &decoded[row * layout.dim]);
  }
  if (layout.dtype == Dtype::binary) return scores;
  canonicalScores(layout.metric, &task.queries[query * layout.dim], norm, rows.data(), chunk.norms.get(), kRows,
                  layout.dim, scores.data());
  return scores;
}

/// The first `q` of the task's queries against the rows of a chunk.
void test(const Isa& isa, const Kind& kind, const Layout& layout, const Chunk& chunk, const SearchTask& task,
          size_t q) {
  const ScanKernel& kernel = *isa.scan;
  const size_t stride = layout.queryStride();
  AlignedFloats queries(q * stride), scores(kMostQueries * (kPadded + kRowAlign)),
      weights(kPadded + kRowAlign), factors(kPadded + kRowAlign);
  std::vector<double> norms(q);
  for (size_t i = 0; i < q; i++) norms[i] = prepareQuery(layout, task, i, queries.data() + i * stride);
  std::vector<const uint8_t*> rows;
  for (size_t row = 0; row < kPadded + kRowGroup; row++) {
    rows.push_back(chunk.row(layout, std::min(row, kRows - 1)));
  }
  for (size_t row = 0; row < kRows; row++) {
    if (!isDistance(layout.metric)) weights[row] = chunk.weights[row];
    if (layout.dtype == Dtype::int8) factors[row] = chunk.factors[row];
  }
  constexpr size_t kScoreStride = 64;
  const auto& score = layout.metric == Metric::l2 ? kernel.squaredDistance : kernel.dot;
  score[static_cast<size_t>(layout.dtype)]({rows.data(), factors.data(), kPadded, queries.data(), q, layout.stride,
                                            scores.data(), kScoreStride});

  for (size_t i = 0; i < q; i++) {
    const Bound bound = makeBound(layout.metric, layout.stride, kernel.lanes, norms[i]);
    std::vector<float> wanted = canonical(layout, chunk, task, i, norms[i], queries.data() + i * stride);
    if (isDistance(layout.metric)) {
      for (float& one : wanted) one = -one;
    }
    const float* const found = scores.data() + i * kScoreStride;
    for (size_t row = 0; row < kRows; row++) {
      const Interval interval = bound.interval(found[row], weights[row]);
      check(interval.low <= wanted[row] && wanted[row] <= interval.high, isa, kind, layout,
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
        check(wanted[row] < sorted[k - 1] || std::binary_search(positions.begin(), positions.end(), row), isa, kind,
              layout, "a row that reaches the threshold does not survive");
      }
      check(
          std::adjacent_find(positions.begin(), positions.end(), std::greater_equal<>()) == positions.end() &&
              (count == 0 || positions.back() < kRows),
          isa, kind, layout, "a row survives twice, or is none");
      if (std::string(kind.name) == "normal" && layout.dtype == Dtype::f32 && layout.dim > 1) {
        check(count <= k + 1, isa, kind, layout, "rows below the threshold survive");
      }
    }
  }
}

void test(const Isa& isa, const Kind& kind, size_t dim, Metric metric, Dtype dtype) {
  const Layout layout(dim, metric, dtype, false);
  Chunk chunk(layout, false);
  if (!store(isa, layout, draw(kind, kRows, dim, 1), chunk)) return;
  SearchTask task;
  task.queries = draw(kind, kMostQueries, dim, 2);
  const size_t words = (dim + 31) / 32;
  task.words.resize(kMostQueries * words);
  for (size_t i = 0; i < kMostQueries; i++) isa.quantize->toBits(&task.queries[i * dim], dim, &task.words[i * words]);
  for (const size_t q : {size_t{1}, size_t{2}, size_t{3}, kMostQueries}) {
    // Long rows with few queries, since an imitated processor is slow.
    if (dim <= 100 || q == 1 || q == 3) test(isa, kind, layout, chunk, task, q);
  }
}

}  // namespace

int main() {
  for (const Isa* isa = supportedIsas(); isa->name != nullptr; isa++) {
    checks = 0;
    for (const Kind& kind : kKinds) {
      for (const size_t dim : {1, 3, 16, 17, 64, 100, 384, 1025, 4096}) {
        for (const Metric metric : {Metric::ip, Metric::cosine, Metric::l2}) {
          for (const Dtype dtype : {Dtype::f32, Dtype::f16, Dtype::bf16, Dtype::int8}) {
            test(*isa, kind, dim, metric, dtype);
          }
        }
        test(*isa, kind, dim, Metric::hamming, Dtype::binary);
      }
    }
    std::printf("%s: %zu checks\n", isa->name, checks);
  }
  return failed ? 1 : 0;
}
