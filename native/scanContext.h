// What the steps of one search on the SIMD device share.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "../kernels/bound.h"
#include "../kernels/isa.h"
#include "alignedArray.h"
#include "backend.h"
#include "chunk.h"

namespace seine {

struct ScanContext {
  const Layout layout;
  const std::shared_ptr<const Chunks> chunks;
  const Isa& isa;
  const std::shared_ptr<SearchTask> task;

  AlignedFloats queries{};           // [q, queryStride]: as given, of unit length for cosine, or bits
  std::vector<double> queryNorms{};  // [q]
  std::vector<Bound> bounds{};       // [q]
  std::atomic<bool> failed{false};

  const Chunk& chunkOf(size_t row) const { return *(*chunks)[row >> layout.shift]; }
  size_t slotOf(size_t row) const { return row & (layout.rowsPerChunk - 1); }
  const float* query(size_t i) const { return queries.data() + i * layout.queryStride(); }
  /// Float32 scores of `block`, which names neither metric nor kernel.
  void score(const ScanBlock& block) const {
    const auto& scores = layout.metric == Metric::l2 ? isa.scan->squaredDistance : isa.scan->dot;
    scores[static_cast<size_t>(layout.dtype)](block);
  }
  bool stopped() const {
    return task->cancelled.load(std::memory_order_relaxed) || failed.load(std::memory_order_relaxed);
  }
};

}  // namespace seine
