// The order of work that the vector levels share: a few queries at a time pass over the groups of a block,
// which stay in the second-level cache. Included after `dotTile`.
#pragma once

#include "certify.h"

namespace seine {
namespace {

template <size_t kQueries>
size_t dotQueries(const CodeBlock& block, size_t query) {
  if constexpr (kQueries > 1) {
    if (block.queryCount - query < kQueries) return dotQueries<kQueries / 2>(block, query);
  }
  for (size_t g = 0; g < block.groupCount; g += kTileGroups) {
    dotTile<kQueries>(block.groups + g * kCodeGroup * block.stride, block.stride / 4,
                      block.queries + query * block.stride, block.surplus + query,
                      block.dots + query * block.dotStride + g * kCodeGroup, block.dotStride);
  }
  return kQueries;
}

void dotBlock(const CodeBlock& block) {
  for (size_t query = 0; query < block.queryCount;) query += dotQueries<kMostQueries>(block, query);
}

}  // namespace
}  // namespace seine
