// The scan of full-precision rows: finds every row that may be among the k best by its float32 score.
#pragma once

#include <atomic>
#include <cstddef>
#include <vector>

#include "candidates.h"
#include "scanContext.h"
#include "scratchPool.h"

namespace seine {

class FloatScan {
 public:
  /// Scans for the queries of `which`, by their numbers.
  FloatScan(const ScanContext& context, std::vector<size_t> which);
  ~FloatScan();

  size_t stripes() const { return stripes_; }
  /// Any number of stripes at once.
  void scanStripe(size_t stripe);
  /// After all stripes: the rows that may be among the k best of the query at `place` of `which`.
  std::vector<uint32_t> candidates(size_t place) const;
  const std::vector<size_t>& which() const { return which_; }

 private:
  struct Scratch;

  void scanRange(Scratch& scratch, size_t begin, size_t end);
  void addRow(Scratch& scratch, uint32_t row);
  void scanBlock(Scratch& scratch);
  void collect(Scratch& scratch, size_t first, size_t queries);
  void collectWeighted(Scratch& scratch, size_t place, const float* scores);

  const ScanContext& context_;
  const std::vector<size_t> which_;
  AlignedFloats gathered_;  // [which, stride], if these are not all queries
  const float* queries_;    // [which, stride]
  std::vector<std::atomic<float>> thresholds_;
  size_t blockRows_;   // rows that fit into the second-level cache
  size_t rowsToScan_;  // listed ones, or all
  size_t stripeRows_;
  size_t stripes_;
  ScratchPool<Scratch> scratches_;
};

}  // namespace seine
