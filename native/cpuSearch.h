// One search of the SIMD device, in steps on the pool: prepare, scan the codes, scan the rows for queries
// that the codes leave open, rank.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "backend.h"
#include "certifiedScan.h"
#include "documentScan.h"
#include "floatScan.h"
#include "scanContext.h"

namespace seine {

/// The sums of `ScanTotals`, as searches on several threads add to them.
struct ScanCounts {
  std::atomic<uint64_t> queries{0};
  std::atomic<uint64_t> open{0};
  std::atomic<uint64_t> scored{0};
};

class CpuSearch : public std::enable_shared_from_this<CpuSearch> {
 public:
  CpuSearch(const Layout& layout, std::shared_ptr<const Chunks> chunks, const Isa& isa,
            std::shared_ptr<SearchTask> task, std::shared_ptr<ScanCounts> counts, Done done);

  void start();

 private:
  void prepare();
  /// Runs `step(i)` for each i below `count` on the pool, then `next`.
  template <typename Step>
  void run(size_t count, Step step, void (CpuSearch::*next)());
  void scanCodes();
  void openRows();
  void scanRows();
  void scanDocuments();
  void rankDocuments();
  void rankOpen();
  void rankCertified();
  void rankQuery(size_t query, const std::vector<uint32_t>& rows);
  void finish();

  /// Runs a step; what it throws becomes the search's failure.
  template <typename Step>
  void guarded(Step step);
  size_t bytesWanted() const;

  ScanContext context_;
  const std::shared_ptr<ScanCounts> counts_;
  const Done done_;
  std::optional<CertifiedScan> codes_;
  std::optional<FloatScan> rows_;
  std::optional<DocumentScan> documents_;  // in place of both

  std::mutex mutex_;
  std::optional<Error> failure_;
};

}  // namespace seine
