// One search of the SIMD device, in three steps on the pool: prepare, scan stripes, rank queries.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "../kernels/bound.h"
#include "../kernels/scan.h"
#include "alignedFloats.h"
#include "backend.h"
#include "candidates.h"
#include "chunk.h"

namespace seine {

class CpuSearch : public std::enable_shared_from_this<CpuSearch> {
 public:
  CpuSearch(const Layout& layout, std::shared_ptr<const Chunks> chunks, const ScanKernel& kernel,
            std::shared_ptr<SearchTask> task, Done done);
  ~CpuSearch();

  void start();

 private:
  /// What one thread works with; reused from stripe to stripe.
  struct Scratch;

  void prepare();
  void listAllowed();
  void scanStripe(size_t stripe);
  void scanRange(Scratch& scratch, size_t begin, size_t end);
  void addRow(Scratch& scratch, uint32_t row);
  void scanBlock(Scratch& scratch);
  void collect(Scratch& scratch, size_t firstQuery, size_t queries);
  void rankQuery(size_t query);
  void finish();

  /// Runs a step; what it throws becomes the search's failure.
  template <typename Step>
  void guarded(Step step);
  bool stopped() const;
  std::unique_ptr<Scratch> takeScratch();
  void giveBack(std::unique_ptr<Scratch> scratch);
  size_t bytesWanted() const;

  const Layout layout_;
  const std::shared_ptr<const Chunks> chunks_;
  const ScanKernel& kernel_;
  const std::shared_ptr<SearchTask> task_;
  const Done done_;

  AlignedFloats queries_;  // [q, stride]: as given, or of unit length for cosine
  std::vector<double> queryNorms_;
  std::vector<Bound> bounds_;
  std::vector<std::atomic<float>> thresholds_;
  std::vector<uint32_t> list_;  // ids that pass, if they are few
  size_t blockRows_ = 0;        // rows that fit into the second-level cache
  size_t rowsToScan_ = 0;       // of the list, or of all
  size_t stripeRows_ = 0;
  size_t stripes_ = 0;

  std::mutex mutex_;
  std::vector<std::unique_ptr<Scratch>> scratches_;
  std::optional<Error> failure_;
  std::atomic<bool> failed_{false};
};

}  // namespace seine
