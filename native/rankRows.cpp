#include "rankRows.h"

#include <algorithm>
#include <cstring>

#include "../kernels/canonical.h"
#include "../kernels/decode.h"

namespace seine {
namespace {

constexpr size_t kGroup = 64;

/// Scores of few rows, from what is stored.
class CanonicalScorer {
 public:
  CanonicalScorer(const Layout& layout, const Chunks& chunks, const SearchTask& task, double queryNorm)
      : layout_(layout), chunks_(chunks), task_(task), queryNorm_(queryNorm) {
    const bool decodes = layout.dtype != Dtype::f32 && layout.dtype != Dtype::binary;
    if (decodes) decoded_.resize(kGroup * layout.dim);
    if (layout.dtype == Dtype::binary) bits_.resize(layout.bytesOf(layout.stride));
  }

  void score(size_t query, const uint32_t* rows, size_t count, float* scores) {
    if (layout_.dtype == Dtype::binary) return countBits(query, rows, count, scores);
    const float* numbers[kGroup];
    double norms[kGroup];
    for (size_t i = 0; i < count; i++) {
      const Chunk& chunk = chunkOf(rows[i]);
      const size_t slot = slotOf(rows[i]);
      norms[i] = chunk.norms ? chunk.norms[slot] : 0;
      numbers[i] = chunk.floats(layout_, slot);
      if (decoded_.empty()) continue;
      chunk.decode(layout_, slot, &decoded_[i * layout_.dim]);
      numbers[i] = &decoded_[i * layout_.dim];
    }
    canonicalScores(layout_.metric, &task_.queries[query * layout_.dim], queryNorm_, numbers, norms, count,
                    layout_.dim, scores);
  }

 private:
  void countBits(size_t query, const uint32_t* rows, size_t count, float* scores) {
    const size_t bytes = layout_.storedBytes();
    std::memcpy(bits_.data(), &task_.words[query * bytes / 4], bytes);
    for (size_t i = 0; i < count; i++) {
      const uint8_t* const row = chunkOf(rows[i]).row(layout_, slotOf(rows[i]));
      scores[i] = static_cast<float>(differingBits(bits_.data(), row, bits_.size()));
    }
  }
  const Chunk& chunkOf(uint32_t row) const { return *chunks_[row >> layout_.shift]; }
  size_t slotOf(uint32_t row) const { return row & (layout_.rowsPerChunk - 1); }

  const Layout& layout_;
  const Chunks& chunks_;
  const SearchTask& task_;
  const double queryNorm_;
  std::vector<float> decoded_;  // [kGroup, dim]
  std::vector<uint8_t> bits_;   // a query's, padded as rows are
};

}  // namespace

void rankRows(const Layout& layout, const Chunks& chunks, SearchTask& task, size_t query, double queryNorm,
              const std::vector<uint32_t>& rows, const std::function<bool()>& stopped) {
  CanonicalScorer scorer(layout, chunks, task, queryNorm);
  std::vector<uint64_t> keys;
  keys.reserve(rows.size());
  for (size_t start = 0; start < rows.size() && !stopped(); start += kGroup) {
    const size_t count = std::min(kGroup, rows.size() - start);
    float scores[kGroup];
    scorer.score(query, &rows[start], count, scores);
    for (size_t i = 0; i < count; i++) keys.push_back(orderKey(layout.metric, scores[i], rows[start + i]));
  }
  if (stopped()) return;
  const size_t k = task.k;
  if (keys.size() < k) throw Error("ERR_INTERNAL", "The scan found fewer candidates than results.");
  std::partial_sort(keys.begin(), keys.begin() + static_cast<ptrdiff_t>(k), keys.end());
  for (size_t i = 0; i < k; i++) {
    task.ids[query * k + i] = keyRow(keys[i]);
    task.scores[query * k + i] = keyScore(layout.metric, keys[i]);
  }
}

}  // namespace seine
