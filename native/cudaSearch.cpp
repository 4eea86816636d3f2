#include "cudaSearch.h"

#include <algorithm>
#include <utility>

#include "../kernels/maxsim.cuh"
#include "codesPay.h"
#include "cudaCertify.h"
#include "cudaCollect.h"
#include "cudaMaxsim.h"
#include "pool.h"
#include "prepareQuery.h"
#include "rankRows.h"

namespace seine {
namespace {

using cuda::kBins;
using cuda::kPassQueries;
using cuda::Selection;

/// Candidates that there is room for at first, besides k.
constexpr size_t kSpare = 1024;

}  // namespace

CudaSearch::CudaSearch(const Layout& layout, std::shared_ptr<const Chunks> chunks,
                       std::shared_ptr<SearchTask> task, Done done)
    : layout_(layout), chunks_(std::move(chunks)), task_(std::move(task)), done_(std::move(done)) {}

CudaSearch::CudaSearch(std::shared_ptr<CudaSearch> whole, std::shared_ptr<SearchTask> task)
    : layout_(whole->layout_), task_(std::move(task)), whole_(std::move(whole)) {}

void CudaSearch::scan(CudaLane& lane, CudaRows& rows) {
  guarded([&] { prepare(); });
  if (!stopped()) fail(lane.run("a search", [&] { runPasses(lane, rows); }));
}

void CudaSearch::take(CudaSearch& part, const CudaPlacement& placement, size_t device) {
  fail(std::move(part.failure_));
  guarded([&] {
    std::lock_guard lock(mutex_);
    if (queryNorms_.empty()) prepare();
    for (size_t query = 0; query < task_->q; query++) {
      for (const uint32_t local : part.candidates_[query]) {
        candidates_[query].push_back(static_cast<uint32_t>(placement.rowOf(local, device)));
      }
    }
  });
}

void CudaSearch::rank() {
  const auto self = shared_from_this();
  submit(
      stopped() ? 0 : task_->q,
      [self](size_t query) {
        self->guarded([&] {
          const double norm = self->task_->documents.empty() ? self->queryNorms_[query] : 0;
          rankRows(self->layout_, *self->chunks_, *self->task_, query, norm, self->candidates_[query],
                   [&] { return self->stopped(); });
        });
      },
      [self] { self->done_(std::move(self->failure_)); });
}

void CudaSearch::runPasses(CudaLane& lane, CudaRows& rows) {
  if (!task_->documents.empty()) {
    candidates_ =
        scanDocumentsOnCuda(lane, rows, layout_, *task_, queries_, bounds_, [this] { return stopped(); });
    return;
  }
  CudaScratch& scratch = lane.scratch;
  if (!task_->allowed.empty()) {
    const size_t bytes = task_->allowed.size() * sizeof(uint32_t);
    growBuffer(scratch.passing, bytes);
    lane.upload(scratch.passing.as<void>(), task_->allowed.data(), bytes);
  }
  const std::vector<size_t> open = openQueries(lane, rows);
  if (open.empty()) return;
  const size_t stride = layout_.queryStride();
  const unsigned most = takeScratch(scratch, open.size());
  const std::vector<cuda::Slab> slabs =
      task_->listed.empty() ? rows.slabs(task_->count) : rows.slabs(lane, task_->listed);
  for (size_t first = 0; first < open.size() && !stopped(); first += most) {
    const auto queries = static_cast<unsigned>(std::min<size_t>(most, open.size() - first));
    Selection selections[kPassQueries];
    for (Selection& selection : selections) selection = {0, static_cast<uint32_t>(task_->k), 0};
    const size_t tile = cuda::queryTile(queries);
    checkCuda(cudaMemsetAsync(scratch.queries.as<void>(), 0, tile * stride * sizeof(float), lane.stream()),
              "clearing memory");
    for (size_t i = 0; i < queries; i++) {
      lane.upload(scratch.queries.as<float>() + i * stride, queries_.data() + open[first + i] * stride,
                  stride * sizeof(float));
      lane.upload(scratch.bounds.as<Bound>() + i, &bounds_[open[first + i]], sizeof(Bound));
      if (layout_.features == 0) continue;
      const size_t width = 1 + layout_.features;
      lane.upload(scratch.weights.as<float>() + i * width, &task_->weights[open[first + i] * width],
                  width * sizeof(float));
    }
    lane.upload(scratch.selections.as<void>(), selections, sizeof selections);
    const cuda::Pass pass = {layout_.metric,
                             layout_.dtype,
                             queries,
                             layout_.bytesOf(layout_.stride) / cuda::kChunkBytes,
                             slots(),
                             scratch.queries.as<void>(),
                             scratch.bounds.as<Bound>(),
                             layout_.features,
                             scratch.weights.as<float>(),
                             task_->allowed.empty() ? nullptr : scratch.passing.as<uint32_t>(),
                             scratch.lows.as<float>(),
                             scratch.highs.as<float>(),
                             scratch.histogram.as<uint32_t>(),
                             scratch.selections.as<Selection>(),
                             nullptr,
                             0};
    runPass(lane, pass, slabs);
    const size_t room = std::min(task_->passing, task_->k + kSpare);
    auto found = collectSlots(lane, pass, scratch.candidates, room, [this] { return stopped(); });
    for (size_t i = 0; i < found.size(); i++) {
      if (!task_->listed.empty()) {
        for (uint32_t& row : found[i]) row = task_->listed[row];
      }
      candidates_[open[first + i]] = std::move(found[i]);
    }
  }
}

/// Finds candidates by codes where that pays; returns the queries whose candidates the rows must tell.
std::vector<size_t> CudaSearch::openQueries(CudaLane& lane, CudaRows& rows) {
  std::vector<std::optional<std::vector<uint32_t>>> found(task_->q);
  if (codesPay(layout_, *task_)) {
    found = certifyOnCuda(lane, rows, layout_, *task_, queries_, [this] { return stopped(); });
  }
  std::vector<size_t> open;
  for (size_t i = 0; i < found.size(); i++) {
    if (found[i]) {
      candidates_[i] = std::move(*found[i]);
    } else {
      open.push_back(i);
    }
  }
  return open;
}

/// The queries for the scan, their bounds, and room for the result.
void CudaSearch::prepare() {
  const size_t q = task_->q, vectors = task_->vectors(), stride = layout_.queryStride();
  const cuda::Summation summation = task_->documents.empty()
                                        ? cuda::summation(layout_.dtype, layout_.stride)
                                        : cuda::tokenSummation(layout_.dtype, layout_.stride);
  task_->ids.resize(q * task_->k);
  task_->scores.resize(q * task_->k);
  queries_ = AlignedFloats(vectors * stride);
  candidates_.resize(q);
  for (size_t i = 0; i < vectors; i++) {
    const double norm = prepareQuery(layout_, *task_, i, queries_.data() + i * stride);
    queryNorms_.push_back(norm);
    bounds_.push_back(makeBound(layout_.metric, summation.paddedStride, summation.lanes, norm));
  }
}

/// Returns how many queries a pass may take, `most` at most: fewer where memory is short, since a pass takes
/// 8 bytes a row and query.
unsigned CudaSearch::takeScratch(CudaScratch& scratch, size_t most) const {
  const auto wanted = static_cast<unsigned>(std::min<size_t>(kPassQueries, most));
  growBuffer(scratch.queries, kPassQueries * layout_.queryStride() * sizeof(float));
  growBuffer(scratch.bounds, kPassQueries * sizeof(Bound));
  growBuffer(scratch.weights, kPassQueries * (1 + layout_.features) * sizeof(float));
  growBuffer(scratch.selections, kPassQueries * sizeof(Selection));
  growBuffer(scratch.histogram, kPassQueries * kBins * sizeof(uint32_t));
  for (unsigned queries = wanted;; queries /= 2) {
    try {
      growBuffer(scratch.lows, queries * slots() * sizeof(float));
      growBuffer(scratch.highs, queries * slots() * sizeof(float));
      return queries;
    } catch (const Error& error) {
      scratch.lows = CudaBuffer();
      scratch.highs = CudaBuffer();
      if (queries == 1 || !error.is("ERR_OUT_OF_MEMORY")) throw;
    }
  }
}

void CudaSearch::runPass(CudaLane& lane, const cuda::Pass& pass, const std::vector<cuda::Slab>& slabs) {
  const cudaStream_t stream = lane.stream();
  const unsigned blocks = lane.blocks();
  // A pass that failed may have left counts.
  checkCuda(cudaMemsetAsync(pass.histogram, 0, kPassQueries * kBins * sizeof(uint32_t), stream),
            "clearing memory");
  for (const cuda::Slab& slab : slabs) {
    checkCuda(cuda::launchScores(pass, slab, blocks, stream), "starting a kernel");
    checkCuda(cuda::launchBounds(pass, slab, blocks, stream), "starting a kernel");
  }
  selectLows(lane, pass);
}

template <typename Step>
void CudaSearch::guarded(Step step) {
  if (stopped()) return;
  try {
    step();
  } catch (const Error& error) {
    fail(error);
  } catch (const std::bad_alloc&) {
    fail(outOfMemory("The working memory of a search on the host",
                     task_->q * (task_->k * 3 * sizeof(uint64_t) + layout_.stride * sizeof(float))));
  } catch (const std::exception& error) {
    fail(Error("ERR_INTERNAL", std::string("A search failed: ") + error.what()));
  }
}

void CudaSearch::fail(std::optional<Error> failure) {
  if (!failure) return;
  std::lock_guard lock(mutex_);
  if (!failure_) failure_ = std::move(failure);
  failed_ = true;
}

bool CudaSearch::stopped() const {
  return task_->cancelled.load(std::memory_order_relaxed) || failed_.load(std::memory_order_relaxed) ||
         (whole_ != nullptr && whole_->stopped());
}

}  // namespace seine
