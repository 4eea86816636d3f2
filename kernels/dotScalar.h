#pragma once

#include <cstddef>
#include <cstdint>

namespace seine {
namespace {

constexpr bool kNarrowSums = false;
constexpr size_t kTileGroups = 1;
constexpr size_t kMostQueries = 1;

/// Products of one group of rows, `quads` times four codes each, with kQueries queries.
template <size_t kQueries>
inline void dotTile(const uint8_t* group, size_t quads, const int8_t* queries, const int32_t* surplus,
                    int32_t* dots, size_t) {
  int32_t sums[16];
  for (int32_t& sum : sums) sum = -surplus[0];
  for (size_t k = 0; k < quads; k++, group += 64, queries += 4) {
    for (size_t r = 0; r < 16; r++) {
      const uint8_t* row = group + r * 4;
      sums[r] += row[0] * queries[0] + row[1] * queries[1] + row[2] * queries[2] + row[3] * queries[3];
    }
  }
  for (size_t r = 0; r < 16; r++) dots[r] = sums[r];
}

}  // namespace
}  // namespace seine

#include "dotTiles.h"
