// Top-k lists of one query into one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace seine {

/// Entries of lists that each are best first, equal scores by rising id, without NaN and -0: list i has those
/// from `starts[i]` to `starts[i + 1]`.
struct MergeEntries {
  const uint32_t* ids;
  const float* scores;
  const uint32_t* starts;
};

/// The `k` best entries of `lists` lists in final order, or all if there are fewer. Throws std::bad_alloc.
void mergeLists(const MergeEntries& entries, size_t lists, size_t k, bool lowest, uint32_t* ids,
                float* scores);

}  // namespace seine
