// Compiled without contraction: a stored number is rounded before the difference to the query is formed, as
// its canonical value is. Compiled once for each instruction-set level, with SEINE_SIMD naming the header of
// its vector type and SEINE_KERNEL the table that it defines. Nothing here may be inline with external
// linkage (no standard containers or algorithms): the linker could keep the copy that older processors cannot
// run.
#include "scan.h"

#include <cstring>

#include SEINE_SIMD

namespace seine {
namespace {

/// Numbers of a row as float32, exactly: `load(row, i, factor)` gives those from `i` on.
template <Dtype kDtype>
struct Numbers;

template <>
struct Numbers<Dtype::f32> {
  static Vector load(const uint8_t* row, size_t i, Vector) {
    return seine::load(reinterpret_cast<const float*>(row) + i);
  }
};
template <>
struct Numbers<Dtype::f16> {
  static Vector load(const uint8_t* row, size_t i, Vector) {
    return loadHalves(reinterpret_cast<const uint16_t*>(row) + i);
  }
};
template <>
struct Numbers<Dtype::bf16> {
  static Vector load(const uint8_t* row, size_t i, Vector) {
    return loadBfloats(reinterpret_cast<const uint16_t*>(row) + i);
  }
};
template <>
struct Numbers<Dtype::int8> {
  static Vector load(const uint8_t* row, size_t i, Vector factor) {
    return multiply(loadCodes(reinterpret_cast<const int8_t*>(row) + i), factor);
  }
};

template <Dtype kDtype, bool kSquared, bool kPrefetch, size_t kQueries>
inline void scoreTile(const uint8_t* const* rows, const float* factors, const float* queries, size_t stride,
                      float* scores, size_t scoreStride) {
  constexpr size_t kLine = numbersPerLine(kDtype), kLineBytes = kRowAlign * sizeof(float);
  Vector sums[kQueries][kRowGroup];
  Vector factor[kRowGroup];
  for (size_t r = 0; r < kRowGroup; r++) {
    for (size_t q = 0; q < kQueries; q++) sums[q][r] = zero();
    factor[r] = kDtype == Dtype::int8 ? broadcast(factors[r]) : zero();
  }
  // The next group is fetched row after row, four lines at a time: in this order memory is twice as fast as
  // with the four rows side by side. Lines past the end of a row do no harm.
  const size_t quarter = (stride / kLine + 3) / 4 * kLine;
  for (size_t part = 0; part < kRowGroup; part++) {
    const size_t begin = part * quarter, end = begin + quarter < stride ? begin + quarter : stride;
    const uint8_t* next = rows[kRowGroup + part];
    for (size_t line = begin; line < end; line += kLine, next += 4 * kLineBytes) {
      if (kPrefetch) {
        for (size_t ahead = 0; ahead < 4; ahead++) {
          prefetch(reinterpret_cast<const float*>(next + ahead * kLineBytes));
        }
      }
      for (size_t i = line; i < line + kLine; i += kLanes) {
        Vector x[kRowGroup];
        for (size_t r = 0; r < kRowGroup; r++) x[r] = Numbers<kDtype>::load(rows[r], i, factor[r]);
        for (size_t q = 0; q < kQueries; q++) {
          const Vector y = load(queries + q * stride + i);
          for (size_t r = 0; r < kRowGroup; r++) {
            if (kSquared) {
              const Vector difference = subtract(y, x[r]);
              sums[q][r] = multiplyAdd(difference, difference, sums[q][r]);
            } else {
              sums[q][r] = multiplyAdd(y, x[r], sums[q][r]);
            }
          }
        }
      }
    }
  }
  storeSums<kQueries>(sums, scores, scoreStride);
}

/// One group of queries against all rows of the block, which lie in the second-level cache after the first
/// group.
template <Dtype kDtype, bool kSquared, bool kPrefetch, size_t kQueries>
void scoreRows(const ScanBlock& block, size_t query) {
  for (size_t r = 0; r < block.rowCount; r += kRowGroup) {
    scoreTile<kDtype, kSquared, kPrefetch, kQueries>(
        block.rows + r, kDtype == Dtype::int8 ? block.factors + r : nullptr,
        block.queries + query * block.stride, block.stride, block.scores + query * block.scoreStride + r,
        block.scoreStride);
  }
}

template <Dtype kDtype, bool kSquared, bool kPrefetch>
size_t scoreGroup(const ScanBlock& block, size_t query) {
  const size_t left = block.queryCount - query;
  if (left >= kQueryGroup) {
    scoreRows<kDtype, kSquared, kPrefetch, kQueryGroup>(block, query);
    return kQueryGroup;
  }
  constexpr size_t kThree = kQueryGroup < 3 ? kQueryGroup : 3, kTwo = kQueryGroup < 2 ? kQueryGroup : 2;
  if (kQueryGroup > 3 && left == 3) {
    scoreRows<kDtype, kSquared, kPrefetch, kThree>(block, query);
    return 3;
  }
  if (kQueryGroup > 2 && left == 2) {
    scoreRows<kDtype, kSquared, kPrefetch, kTwo>(block, query);
    return 2;
  }
  scoreRows<kDtype, kSquared, kPrefetch, 1>(block, query);
  return 1;
}

template <Dtype kDtype, bool kSquared>
void scoreBlock(const ScanBlock& block) {
  size_t query = scoreGroup<kDtype, kSquared, true>(block, 0);
  while (query < block.queryCount) query += scoreGroup<kDtype, kSquared, false>(block, query);
}

/// Differing bits, as float32: whole numbers below 2^24 are exact.
void countDiffering(const ScanBlock& block) {
  const size_t words = block.stride / 64;
  const auto* const queries = reinterpret_cast<const uint8_t*>(block.queries);
  for (size_t r = 0; r < block.rowCount; r++) {
    for (size_t q = 0; q < block.queryCount; q++) {
      const uint8_t* const query = queries + q * words * 8;
      uint64_t count = 0;
      for (size_t i = 0; i < words; i++) {
        uint64_t a, b;
        std::memcpy(&a, block.rows[r] + i * 8, 8);
        std::memcpy(&b, query + i * 8, 8);
        count += onesIn(a ^ b);
      }
      block.scores[q * block.scoreStride + r] = static_cast<float>(count);
    }
  }
}

size_t survivors(const float* scores, const float* weights, size_t count, const Bound& bound, float threshold,
                 uint32_t* positions) {
  const Vector shift = broadcast(bound.shift), scale = broadcast(bound.scale);
  const Vector weightScale = broadcast(bound.weightScale), slack = broadcast(bound.slack);
  const Vector weightSlack = broadcast(bound.weightSlack), limit = broadcast(threshold);
  const Vector lowest = broadcast(-3.402823466e38f);
  size_t found = 0;
  for (size_t i = 0; i < count; i += kLanes) {
    const Vector score = load(scores + i), weight = load(weights + i);
    const Vector high = multiplyAdd(add(score, shift), multiplyAdd(weightScale, weight, scale),
                                    multiplyAdd(weightSlack, weight, slack));
    // Only a finite score (or +infinity, the worst distance) whose bound is below the threshold is out.
    uint32_t bits = ~(less(high, limit) & notLess(score, lowest)) & kAllLanes;
    if (count - i < kLanes) bits &= (1u << (count - i)) - 1;
    for (; bits != 0; bits &= bits - 1) {
      positions[found++] = static_cast<uint32_t>(i) + lowestBit(bits);
    }
  }
  return found;
}

}  // namespace

extern const ScanKernel SEINE_KERNEL = {
    kLanes,
    {scoreBlock<Dtype::f32, false>, scoreBlock<Dtype::f16, false>, scoreBlock<Dtype::bf16, false>,
     scoreBlock<Dtype::int8, false>, countDiffering},
    {scoreBlock<Dtype::f32, true>, scoreBlock<Dtype::f16, true>, scoreBlock<Dtype::bf16, true>,
     scoreBlock<Dtype::int8, true>, countDiffering},
    survivors};

}  // namespace seine
