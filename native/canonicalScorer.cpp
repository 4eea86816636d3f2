#include "canonicalScorer.h"

#include <cstring>

#include "../kernels/canonical.h"
#include "../kernels/decode.h"

namespace seine {

CanonicalScorer::CanonicalScorer(const Layout& layout, const Chunks& chunks, const float* queries,
                                 const uint32_t* words, const float* weights)
    : layout_(layout), chunks_(chunks), queries_(queries), words_(words), weights_(weights) {
  const bool decodes = layout.dtype != Dtype::f32 && layout.dtype != Dtype::binary;
  if (decodes) decoded_.resize(kGroup * layout.dim);
  if (layout.dtype == Dtype::binary) bits_.resize(layout.bytesOf(layout.stride));
}

void CanonicalScorer::score(size_t query, double queryNorm, const uint32_t* rows, size_t count,
                            float* scores) {
  if (layout_.dtype == Dtype::binary) return countBits(query, rows, count, scores);
  const float *numbers[kGroup], *features[kGroup];
  double norms[kGroup];
  for (size_t i = 0; i < count; i++) {
    const Chunk& chunk = chunkOf(rows[i]);
    const size_t slot = slotOf(rows[i]);
    norms[i] = chunk.norms ? chunk.norms[slot] : 0;
    numbers[i] = chunk.floats(layout_, slot);
    features[i] = chunk.featuresOf(layout_, slot);
    if (decoded_.empty()) continue;
    chunk.decode(layout_, slot, &decoded_[i * layout_.dim]);
    numbers[i] = &decoded_[i * layout_.dim];
  }
  const size_t width = layout_.features;
  const Weighing weighing = {weights_ + query * (1 + width), width, features};
  canonicalScores(layout_.metric, queries_ + query * layout_.dim, queryNorm, numbers, norms, count,
                  layout_.dim, scores, width > 0 ? &weighing : nullptr);
}

void CanonicalScorer::countBits(size_t query, const uint32_t* rows, size_t count, float* scores) {
  const size_t bytes = layout_.storedBytes();
  std::memcpy(bits_.data(), words_ + query * bytes / 4, bytes);
  for (size_t i = 0; i < count; i++) {
    const uint8_t* const row = chunkOf(rows[i]).row(layout_, slotOf(rows[i]));
    scores[i] = static_cast<float>(differingBits(bits_.data(), row, bits_.size()));
  }
}

}  // namespace seine
