#include "cpuSearch.h"

#include <numeric>
#include <utility>

#include "codesPay.h"
#include "pool.h"
#include "prepareQuery.h"
#include "rankRows.h"

namespace seine {
namespace {

/// In batches of so many queries products take longer than bytes: then k is to be a smaller share of the
/// rows.
constexpr size_t kBatch = 16;
constexpr size_t kBatchShare = 128;

}  // namespace

CpuSearch::CpuSearch(const Layout& layout, std::shared_ptr<const Chunks> chunks, const Isa& isa,
                     std::shared_ptr<SearchTask> task, std::shared_ptr<ScanCounts> counts, Done done)
    : context_{layout, std::move(chunks), isa, std::move(task)},
      counts_(std::move(counts)),
      done_(std::move(done)) {}

void CpuSearch::start() {
  run(
      1, [this](size_t) { prepare(); }, &CpuSearch::scanCodes);
}

void CpuSearch::prepare() {
  const SearchTask& task = *context_.task;
  const Layout& layout = context_.layout;
  const size_t vectors = task.vectors();
  context_.task->ids.resize(task.q * task.k);
  context_.task->scores.resize(task.q * task.k);
  context_.queries = AlignedFloats(vectors * layout.queryStride());
  context_.queryNorms.resize(vectors);
  context_.bounds.reserve(vectors);
  for (size_t i = 0; i < vectors; i++) {
    const double norm = prepareQuery(layout, task, i, context_.queries.data() + i * layout.queryStride());
    context_.queryNorms[i] = norm;
    context_.bounds.push_back(makeBound(layout.metric, layout.stride, context_.isa.scan->lanes, norm));
  }
  if (!task.documents.empty()) {
    documents_.emplace(context_);
  } else if (codesPay(layout, task, task.q < kBatch ? kLeastShare : kBatchShare)) {
    codes_.emplace(context_);
  }
}

void CpuSearch::scanCodes() {
  const size_t stripes = codes_ ? codes_->stripes() : 0;
  const auto scan = [this](size_t stripe) { codes_->scanStripe(stripe); };
  // Then one step that makes the scan of the rows, where it may fail for want of memory.
  run(stripes, scan, &CpuSearch::openRows);
}

void CpuSearch::openRows() {
  if (documents_) return scanDocuments();
  const auto make = [this](size_t) {
    std::vector<size_t> open(context_.task->q);
    std::iota(open.begin(), open.end(), size_t{0});
    if (codes_) open = codes_->open();
    counts_->queries += context_.task->q;
    counts_->open += open.size();
    if (!open.empty()) rows_.emplace(context_, std::move(open));
  };
  run(1, make, &CpuSearch::scanRows);
}

void CpuSearch::scanRows() {
  const auto scan = [this](size_t stripe) { rows_->scanStripe(stripe); };
  run(rows_ ? rows_->stripes() : 0, scan, &CpuSearch::rankOpen);
}

void CpuSearch::scanDocuments() {
  const auto scan = [this](size_t stripe) { documents_->scanStripe(stripe); };
  run(documents_->stripes(), scan, &CpuSearch::rankDocuments);
}

void CpuSearch::rankDocuments() {
  const auto rank = [this](size_t query) { rankQuery(query, documents_->candidates(query)); };
  run(context_.task->q, rank, &CpuSearch::finish);
}

/// The queries that were scanned by rows, then those by codes.
void CpuSearch::rankOpen() {
  const auto rank = [this](size_t place) { rankQuery(rows_->which()[place], rows_->candidates(place)); };
  run(rows_ ? rows_->which().size() : 0, rank, &CpuSearch::rankCertified);
}

void CpuSearch::rankCertified() {
  const auto rank = [this](size_t query) {
    if (codes_->isOpen(query)) return;
    size_t scored = 0;
    rankQuery(query, codes_->candidates(query, scored));
    counts_->scored += scored;
  };
  run(codes_ ? context_.task->q : 0, rank, &CpuSearch::finish);
}

void CpuSearch::rankQuery(size_t query, const std::vector<uint32_t>& rows) {
  const double norm = documents_ ? 0 : context_.queryNorms[query];
  rankRows(context_.layout, *context_.chunks, *context_.task, query, norm, rows,
           [this] { return context_.stopped(); });
}

void CpuSearch::finish() { done_(std::move(failure_)); }

template <typename Step>
void CpuSearch::run(size_t count, Step step, void (CpuSearch::*next)()) {
  const auto self = shared_from_this();
  submit(
      context_.stopped() ? 0 : count, [self, step](size_t i) { self->guarded([&] { step(i); }); },
      [self, next] { ((*self).*next)(); });
}

template <typename Step>
void CpuSearch::guarded(Step step) {
  if (context_.stopped()) return;
  std::optional<Error> failure;
  try {
    step();
    return;
  } catch (const Error& error) {
    failure = error;
  } catch (const std::bad_alloc&) {
    failure = outOfMemory("The working memory of a search", bytesWanted());
  } catch (const std::exception& error) {
    failure = Error("ERR_INTERNAL", std::string("A search failed: ") + error.what());
  }
  std::lock_guard lock(mutex_);
  if (!failure_) failure_ = std::move(failure);
  context_.failed = true;
}

size_t CpuSearch::bytesWanted() const {
  const SearchTask& task = *context_.task;
  const size_t perResult = 2 * sizeof(Candidate) + sizeof(uint64_t) + sizeof(uint32_t) + sizeof(float);
  return task.q * (task.k * perResult + context_.layout.stride * sizeof(float) + context_.layout.codeStride);
}

}  // namespace seine
