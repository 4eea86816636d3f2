// Canonical scores of few rows, from what is stored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "backend.h"
#include "chunk.h"

namespace seine {

class CanonicalScorer {
 public:
  /// Rows that are scored at once, at most.
  static constexpr size_t kGroup = 64;

  /// All must outlive this.
  CanonicalScorer(const Layout& layout, const Chunks& chunks, const AskedQueries& asked);

  /// Scores `count` rows, or documents; `queryNorm` is the query's canonical length (read for cosine only).
  void score(size_t query, double queryNorm, const uint32_t* rows, size_t count, float* scores);

 private:
  void countBits(size_t query, const uint32_t* rows, size_t count, float* scores);
  float scoreDocument(size_t query, uint32_t document);
  const Chunk& chunkOf(uint32_t row) const { return *chunks_[row >> layout_.shift]; }
  size_t slotOf(uint32_t row) const { return row & (layout_.rowsPerChunk - 1); }

  const Layout& layout_;
  const Chunks& chunks_;
  const AskedQueries& asked_;
  std::vector<float> decoded_;        // [kGroup, dim], or of a document
  std::vector<const float*> tokens_;  // of a document
  std::vector<uint8_t> bits_;         // a query's, padded as rows are
};

}  // namespace seine
