// The best of given scores.
#pragma once

#include <cstddef>
#include <cstdint>

namespace seine {

/// The `k` best of `scores` [n], n >= k >= 1, without NaN and -0: their columns and scores in final order,
/// equal ones by rising column. Throws std::bad_alloc.
void selectScores(const float* scores, size_t n, size_t k, bool lowest, uint32_t* columns, float* best);

}  // namespace seine
