#include "canonicalScorer.h"

#include <cstring>

#include "../kernels/canonical.h"
#include "../kernels/decode.h"

namespace seine {

CanonicalScorer::CanonicalScorer(const Layout& layout, const Chunks& chunks, const AskedQueries& asked)
    : layout_(layout), chunks_(chunks), asked_(asked) {
  const bool decodes = layout.dtype != Dtype::f32 && layout.dtype != Dtype::binary;
  if (decodes) decoded_.resize(kGroup * layout.dim);
  if (layout.dtype == Dtype::binary) bits_.resize(layout.bytesOf(layout.stride));
}

void CanonicalScorer::score(size_t query, double queryNorm, const uint32_t* rows, size_t count,
                            float* scores) {
  if (layout_.dtype == Dtype::binary) return countBits(query, rows, count, scores);
  if (!asked_.documents.empty()) {
    for (size_t i = 0; i < count; i++) scores[i] = scoreDocument(query, rows[i]);
    return;
  }
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
  const Weighing weighing = {asked_.weights.data() + query * (1 + width), width, features};
  canonicalScores(layout_.metric, asked_.queries.data() + query * layout_.dim, queryNorm, numbers, norms,
                  count, layout_.dim, scores, width > 0 ? &weighing : nullptr);
}

float CanonicalScorer::scoreDocument(size_t query, uint32_t document) {
  const uint32_t first = asked_.documents[document];
  const size_t count = asked_.documents[document + 1] - first;
  const bool decodes = layout_.dtype != Dtype::f32;
  if (decodes) decoded_.resize(count * layout_.dim);
  tokens_.resize(count);
  for (size_t i = 0; i < count; i++) {
    const auto row = static_cast<uint32_t>(first + i);
    float* const decoded = decoded_.data() + (decodes ? i * layout_.dim : 0);
    if (decodes) chunkOf(row).decode(layout_, slotOf(row), decoded);
    tokens_[i] = decodes ? decoded : chunkOf(row).floats(layout_, slotOf(row));
  }
  const uint32_t token = asked_.offsets[query];
  return canonicalMaxsim(asked_.queries.data() + token * layout_.dim, asked_.offsets[query + 1] - token,
                         tokens_.data(), count, layout_.dim);
}

void CanonicalScorer::countBits(size_t query, const uint32_t* rows, size_t count, float* scores) {
  const size_t bytes = layout_.storedBytes();
  std::memcpy(bits_.data(), asked_.words.data() + query * bytes / 4, bytes);
  for (size_t i = 0; i < count; i++) {
    const uint8_t* const row = chunkOf(rows[i]).row(layout_, slotOf(rows[i]));
    scores[i] = static_cast<float>(differingBits(bits_.data(), row, bits_.size()));
  }
}

}  // namespace seine
