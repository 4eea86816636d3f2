// Compiled once for each instruction-set level, with SEINE_SIMD naming the header of its vector type and
// SEINE_KERNEL the table that it defines. Nothing here may be inline with external linkage (no standard
// containers or algorithms): the linker could keep the copy that older processors cannot run.
#include "scan.h"

#include SEINE_SIMD

namespace seine {
namespace {

template <bool kSquared, bool kPrefetch, size_t kQueries>
inline void scoreTile(const float* const* rows, const float* queries, size_t stride, float* scores,
                      size_t scoreStride) {
  Vector sums[kQueries][kRowGroup];
  for (size_t q = 0; q < kQueries; q++) {
    for (size_t r = 0; r < kRowGroup; r++) sums[q][r] = zero();
  }
  const float *a = rows[0], *b = rows[1], *c = rows[2], *d = rows[3];
  // The next group is fetched row after row, four lines at a time: in this order memory is twice as fast as
  // with the four rows side by side. Lines past the end of a row do no harm.
  const size_t quarter = (stride / kRowAlign + 3) / 4 * kRowAlign;
  for (size_t part = 0; part < kRowGroup; part++) {
    const size_t begin = part * quarter, end = begin + quarter < stride ? begin + quarter : stride;
    const float* next = rows[kRowGroup + part];
    for (size_t line = begin; line < end; line += kRowAlign, next += 4 * kRowAlign) {
      if (kPrefetch) {
        for (size_t ahead = 0; ahead < 4; ahead++) prefetch(next + ahead * kRowAlign);
      }
      for (size_t i = line; i < line + kRowAlign; i += kLanes) {
        const Vector x[kRowGroup] = {load(a + i), load(b + i), load(c + i), load(d + i)};
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
template <bool kSquared, bool kPrefetch, size_t kQueries>
void scoreRows(const ScanBlock& block, size_t query) {
  for (size_t r = 0; r < block.rowCount; r += kRowGroup) {
    scoreTile<kSquared, kPrefetch, kQueries>(block.rows + r, block.queries + query * block.stride,
                                             block.stride, block.scores + query * block.scoreStride + r,
                                             block.scoreStride);
  }
}

template <bool kSquared, bool kPrefetch>
size_t scoreGroup(const ScanBlock& block, size_t query) {
  const size_t left = block.queryCount - query;
  if (left >= kQueryGroup) {
    scoreRows<kSquared, kPrefetch, kQueryGroup>(block, query);
    return kQueryGroup;
  }
  if (kQueryGroup > 3 && left == 3) {
    scoreRows < kSquared, kPrefetch, kQueryGroup<3 ? kQueryGroup : 3>(block, query);
    return 3;
  }
  if (kQueryGroup > 2 && left == 2) {
    scoreRows < kSquared, kPrefetch, kQueryGroup<2 ? kQueryGroup : 2>(block, query);
    return 2;
  }
  scoreRows<kSquared, kPrefetch, 1>(block, query);
  return 1;
}

template <bool kSquared>
void scoreBlock(const ScanBlock& block) {
  size_t query = scoreGroup<kSquared, true>(block, 0);
  while (query < block.queryCount) query += scoreGroup<kSquared, false>(block, query);
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

extern const ScanKernel SEINE_KERNEL = {kLanes, scoreBlock<false>, scoreBlock<true>, survivors};

}  // namespace seine
