#include "cudaSearch.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "../kernels/maxsim.cuh"
#include "codesPay.h"
#include "cudaCertify.h"
#include "cudaCollect.h"
#include "cudaMaxsim.h"
#include "packing.h"
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

/// Where what a pass takes lies in one buffer, from byte to byte: up to the candidates it is uploaded, from
/// the selections on it comes back.
struct Places {
  Places(const Layout& layout, unsigned pass, size_t capacity) {
    Packing packing;
    queries = packing.take(cuda::queryTile(pass) * layout.queryStride() * sizeof(float));
    bounds = packing.take(pass * sizeof(Bound));
    weights = packing.take(layout.features > 0 ? pass * (1 + layout.features) * sizeof(float) : 0);
    selections = packing.take(pass * sizeof(Selection));
    candidates = packing.take(pass * capacity * sizeof(uint32_t));
    end = packing.bytes();
  }

  size_t queries, bounds, weights, selections, candidates, end;
};

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
  const size_t room = std::min(task_->passing, task_->k + kSpare);
  const unsigned most = takeScratch(scratch, open.size(), room);
  const std::vector<cuda::Slab> slabs =
      task_->listed.empty() ? rows.slabs(task_->count) : rows.slabs(lane, task_->listed);
  for (size_t first = 0; first < open.size() && !stopped(); first += most) {
    const std::vector<size_t> queries(
        open.begin() + static_cast<ptrdiff_t>(first),
        open.begin() + static_cast<ptrdiff_t>(std::min<size_t>(first + most, open.size())));
    auto found = runPass(lane, queries, slabs, room);
    for (size_t i = 0; i < found.size(); i++) {
      if (!task_->listed.empty()) {
        for (uint32_t& row : found[i]) row = task_->listed[row];
      }
      candidates_[queries[i]] = std::move(found[i]);
    }
  }
}

/// Finds candidates by codes where that pays; returns the queries whose candidates the rows must tell.
std::vector<size_t> CudaSearch::openQueries(CudaLane& lane, CudaRows& rows) {
  std::vector<std::optional<std::vector<uint32_t>>> found(task_->q);
  if (codesPay(layout_, *task_, kSampleRowsPerBest)) {
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
unsigned CudaSearch::takeScratch(CudaScratch& scratch, size_t most, size_t room) const {
  const auto wanted = static_cast<unsigned>(std::min<size_t>(kPassQueries, most));
  growBuffer(scratch.exchange, Places(layout_, kPassQueries, room).end);
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

/// The slots, rising, of each of some queries whose upper bound reaches the k-th lower one; there is `room`
/// at first.
std::vector<std::vector<uint32_t>> CudaSearch::runPass(CudaLane& lane, const std::vector<size_t>& queries,
                                                       const std::vector<cuda::Slab>& slabs, size_t room) {
  CudaScratch& scratch = lane.scratch;
  char* const buffer = scratch.exchange.as<char>();
  const Places at(layout_, static_cast<unsigned>(queries.size()), room);
  stage(queries, at.bounds, at.weights, at.selections, at.candidates, lane.staged());
  auto pass = cuda::Pass();
  pass.metric = layout_.metric;
  pass.dtype = layout_.dtype;
  pass.queries = static_cast<unsigned>(queries.size());
  pass.chunks = layout_.bytesOf(layout_.stride) / cuda::kChunkBytes;
  pass.count = slots();
  pass.queryValues = buffer + at.queries;
  pass.bounds = reinterpret_cast<const Bound*>(buffer + at.bounds);
  pass.features = layout_.features;
  pass.weights = reinterpret_cast<const float*>(buffer + at.weights);
  pass.allowed = task_->allowed.empty() ? nullptr : scratch.passing.as<uint32_t>();
  pass.lows = scratch.lows.as<float>();
  pass.highs = scratch.highs.as<float>();
  pass.histogram = scratch.histogram.as<uint32_t>();
  pass.selections = reinterpret_cast<Selection*>(buffer + at.selections);
  pass.candidates = reinterpret_cast<uint32_t*>(buffer + at.candidates);
  pass.capacity = room;
  const size_t results = at.end - at.selections;
  if (results > kWholeBytes) {
    lane.copyUp(buffer, at.candidates);
    launchPass(lane, pass, slabs);
    return collectSlots(lane, pass, scratch.candidates, room, [this] { return stopped(); });
  }
  scratch.graphs.run(lane.stream(), CudaSequence("rows").add(pass).add(slabs), [&] {
    lane.copyUp(buffer, at.candidates);
    launchPass(lane, pass, slabs);
    checkCuda(cuda::launchCollect(pass, lane.blocks(), lane.stream()), "starting a kernel");
    lane.copyDown(pass.selections, results);
  });
  lane.synchronize();
  std::vector<Selection> selections(queries.size());
  std::memcpy(selections.data(), lane.copied(), selections.size() * sizeof(Selection));
  const auto mostFound = std::max_element(selections.begin(), selections.end(),
                                          [](auto& a, auto& b) { return a.found < b.found; });
  if (const size_t needed = mostFound->found; needed > room) {
    for (Selection& selection : selections) selection.found = 0;
    lane.upload(pass.selections, selections.data(), selections.size() * sizeof(Selection));
    return collectSlots(lane, pass, scratch.candidates, needed, [this] { return stopped(); });
  }
  std::vector<std::vector<uint32_t>> found;
  for (size_t i = 0; i < selections.size(); i++) {
    std::vector<uint32_t>& slots = found.emplace_back(selections[i].found);
    const char* const from = lane.copied() + (at.candidates - at.selections) + i * room * sizeof(uint32_t);
    std::memcpy(slots.data(), from, slots.size() * sizeof(uint32_t));
    std::sort(slots.begin(), slots.end());  // in the order of memory, for whoever ranks them
  }
  return found;
}

/// Writes what a pass uploads, in all `bytes` long, to `staged`; places are in bytes from there.
void CudaSearch::stage(const std::vector<size_t>& queries, size_t bounds, size_t weights, size_t selections,
                       size_t bytes, char* staged) const {
  const size_t stride = layout_.queryStride(), width = 1 + layout_.features;
  const Selection selection = {0, static_cast<uint32_t>(task_->k), 0};
  std::memset(staged, 0, bytes);
  for (size_t i = 0; i < queries.size(); i++) {
    const size_t query = queries[i];
    std::memcpy(staged + i * stride * sizeof(float), queries_.data() + query * stride,
                stride * sizeof(float));
    std::memcpy(staged + bounds + i * sizeof(Bound), &bounds_[query], sizeof(Bound));
    std::memcpy(staged + selections + i * sizeof selection, &selection, sizeof selection);
    if (layout_.features == 0) continue;
    std::memcpy(staged + weights + i * width * sizeof(float), &task_->weights[query * width],
                width * sizeof(float));
  }
}

void CudaSearch::launchPass(CudaLane& lane, const cuda::Pass& pass, const std::vector<cuda::Slab>& slabs) {
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
