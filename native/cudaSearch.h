// One search of the CUDA device: passes of some queries on a lane, which find every row that may be among the
// k best; then the pool ranks these by canonical score.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "alignedArray.h"
#include "backend.h"
#include "cudaRows.h"

namespace seine {

class CudaSearch : public std::enable_shared_from_this<CudaSearch> {
 public:
  CudaSearch(const Layout& layout, std::shared_ptr<const Chunks> chunks, std::shared_ptr<SearchTask> task,
             Done done);

  /// The part of `whole` that one of several devices has.
  CudaSearch(std::shared_ptr<CudaSearch> whole, std::shared_ptr<SearchTask> task);

  /// Finds the candidates, on the lane's thread. What goes wrong is told by `rank`.
  void scan(CudaLane& lane, CudaRows& rows);
  /// In place of `scan`: takes what a part of this search found, on any thread; `device` is whose part it is.
  void take(CudaSearch& part, const CudaPlacement& placement, size_t device);
  /// Ranks them on the pool, then calls `done`.
  void rank();

 private:
  void runPasses(CudaLane& lane, CudaRows& rows);
  void prepare();
  std::vector<size_t> openQueries(CudaLane& lane, CudaRows& rows);
  unsigned takeScratch(CudaScratch& scratch, size_t most, size_t room) const;
  std::vector<std::vector<uint32_t>> runPass(CudaLane& lane, const std::vector<size_t>& queries,
                                             const std::vector<cuda::Slab>& slabs, size_t room);
  void stage(const std::vector<size_t>& queries, size_t bounds, size_t weights, size_t selections,
             size_t bytes, char* staged) const;
  void launchPass(CudaLane& lane, const cuda::Pass& pass, const std::vector<cuda::Slab>& slabs);
  /// Rows that are scored: of the snapshot, or those that are listed.
  size_t slots() const { return task_->listed.empty() ? task_->count : task_->listed.size(); }
  template <typename Step>
  void guarded(Step step);
  void fail(std::optional<Error> failure);
  bool stopped() const;

  const Layout layout_;
  const std::shared_ptr<const Chunks> chunks_;
  const std::shared_ptr<SearchTask> task_;
  const Done done_;
  const std::shared_ptr<CudaSearch> whole_;  // of a part

  AlignedFloats queries_;  // [vectors, stride], see prepareQuery
  std::vector<double> queryNorms_;
  std::vector<Bound> bounds_;
  std::vector<std::vector<uint32_t>> candidates_;  // [q]

  std::mutex mutex_;
  std::optional<Error> failure_;
  std::atomic<bool> failed_{false};
};

}  // namespace seine
