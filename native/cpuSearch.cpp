#include "cpuSearch.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "pool.h"
#include "prepareQuery.h"
#include "rankRows.h"

namespace seine {
namespace {

constexpr size_t kBlockBytes = 256 << 10;  // rows of a block: they stay in the second-level cache
constexpr size_t kMaxBlockRows = 512;
constexpr size_t kStripeBytes = 2 << 20;  // rows of a task
constexpr size_t kQueryTile = 64;         // queries that pass over a block together
/// Below this share of passing rows their ids are listed; above, the bitset is walked.
constexpr size_t kListShare = 16;

}  // namespace

struct CpuSearch::Scratch {
  Scratch(size_t blockRows, size_t k, size_t q)
      : weights(blockRows + kRowAlign),
        scores(kQueryTile * (blockRows + kRowAlign)),
        candidates(q, Candidates(k)) {
    rows.reserve(blockRows + 2 * kRowGroup);
    ids.reserve(blockRows);
    positions.resize(blockRows);
  }

  std::vector<const float*> rows;
  std::vector<uint32_t> ids;
  std::vector<uint32_t> positions;
  AlignedFloats weights;
  AlignedFloats scores;
  std::vector<Candidates> candidates;  // [q]
};

CpuSearch::CpuSearch(const Layout& layout, std::shared_ptr<const Chunks> chunks, const ScanKernel& kernel,
                     std::shared_ptr<SearchTask> task, Done done)
    : layout_(layout),
      chunks_(std::move(chunks)),
      kernel_(kernel),
      task_(std::move(task)),
      done_(std::move(done)),
      thresholds_(task_->q) {}

CpuSearch::~CpuSearch() = default;

void CpuSearch::start() {
  const auto self = shared_from_this();
  submit(
      1, [self](size_t) { self->guarded([&] { self->prepare(); }); },
      [self] {
        submit(
            self->stopped() ? 0 : self->stripes_,
            [self](size_t stripe) { self->guarded([&] { self->scanStripe(stripe); }); },
            [self] {
              submit(
                  self->stopped() ? 0 : self->task_->q,
                  [self](size_t query) { self->guarded([&] { self->rankQuery(query); }); },
                  [self] { self->finish(); });
            });
      });
}

void CpuSearch::prepare() {
  const size_t q = task_->q, dim = layout_.dim, stride = layout_.stride;
  task_->ids.resize(q * task_->k);
  task_->scores.resize(q * task_->k);
  queries_ = AlignedFloats(q * stride);
  queryNorms_.resize(q);
  bounds_.reserve(q);
  for (size_t i = 0; i < q; i++) {
    const double norm = prepareQuery(layout_, &task_->queries[i * dim], queries_.data() + i * stride);
    queryNorms_[i] = norm;
    bounds_.push_back(makeBound(layout_.metric, stride, kernel_.lanes, norm));
    thresholds_[i] = -std::numeric_limits<float>::infinity();
  }
  const size_t rowBytes = stride * sizeof(float);
  blockRows_ = std::clamp(kBlockBytes / rowBytes / kRowAlign * kRowAlign, kRowAlign, kMaxBlockRows);
  if (!task_->allowed.empty() && task_->passing <= task_->count / kListShare) listAllowed();
  rowsToScan_ = list_.empty() ? task_->count : list_.size();
  // Tasks of some milliseconds; a stripe begins at a word of the bitset.
  stripeRows_ = std::max(blockRows_, kStripeBytes / rowBytes / std::max<size_t>(1, q / 16));
  stripeRows_ = (stripeRows_ + 31) / 32 * 32;
  stripes_ = (rowsToScan_ + stripeRows_ - 1) / stripeRows_;
}

void CpuSearch::listAllowed() {
  list_.reserve(task_->passing);
  for (size_t word = 0; word < task_->allowed.size(); word++) {
    for (uint32_t bits = task_->allowed[word]; bits != 0; bits &= bits - 1) {
      list_.push_back(static_cast<uint32_t>(word * 32 + static_cast<size_t>(std::countr_zero(bits))));
    }
  }
}

void CpuSearch::scanStripe(size_t stripe) {
  std::unique_ptr<Scratch> scratch = takeScratch();
  const size_t begin = stripe * stripeRows_;
  scanRange(*scratch, begin, std::min(begin + stripeRows_, rowsToScan_));
  giveBack(std::move(scratch));
}

void CpuSearch::scanRange(Scratch& scratch, size_t begin, size_t end) {
  if (!list_.empty()) {
    for (size_t i = begin; i < end && !stopped(); i++) addRow(scratch, list_[i]);
  } else if (task_->allowed.empty()) {
    for (size_t row = begin; row < end && !stopped(); row++) addRow(scratch, static_cast<uint32_t>(row));
  } else {
    for (size_t word = begin / 32; word * 32 < end && !stopped(); word++) {
      for (uint32_t bits = task_->allowed[word]; bits != 0; bits &= bits - 1) {
        addRow(scratch, static_cast<uint32_t>(word * 32 + static_cast<size_t>(std::countr_zero(bits))));
      }
    }
  }
  scanBlock(scratch);
}

void CpuSearch::addRow(Scratch& scratch, uint32_t row) {
  const Chunk& chunk = *(*chunks_)[row >> layout_.shift];
  const size_t slot = row & (layout_.rowsPerChunk - 1);
  if (chunk.weights) scratch.weights[scratch.ids.size()] = chunk.weights[slot];
  scratch.rows.push_back(chunk.values + slot * layout_.stride);
  scratch.ids.push_back(row);
  if (scratch.ids.size() == blockRows_) scanBlock(scratch);
}

void CpuSearch::scanBlock(Scratch& scratch) {
  const size_t count = scratch.ids.size();
  if (count == 0) return;
  // A whole number of groups, and one more to prefetch: the last row again.
  const size_t padded = (count + kRowGroup - 1) / kRowGroup * kRowGroup;
  scratch.rows.resize(padded + kRowGroup, scratch.rows.back());
  const auto score = layout_.metric == Metric::l2 ? kernel_.squaredDistance : kernel_.dot;
  for (size_t first = 0; first < task_->q && !stopped(); first += kQueryTile) {
    const size_t queries = std::min(kQueryTile, task_->q - first);
    score({scratch.rows.data(), padded, queries_.data() + first * layout_.stride, queries, layout_.stride,
           scratch.scores.data(), blockRows_});
    collect(scratch, first, queries);
  }
  scratch.rows.clear();
  scratch.ids.clear();
}

void CpuSearch::collect(Scratch& scratch, size_t firstQuery, size_t queries) {
  for (size_t i = 0; i < queries; i++) {
    const size_t query = firstQuery + i;
    const float* scores = scratch.scores.data() + i * blockRows_;
    std::atomic<float>& shared = thresholds_[query];
    const size_t found = kernel_.survivors(scores, scratch.weights.data(), scratch.ids.size(), bounds_[query],
                                           Candidates::threshold(shared), scratch.positions.data());
    for (size_t j = 0; j < found; j++) {
      const uint32_t position = scratch.positions[j];
      const Interval interval = bounds_[query].interval(scores[position], scratch.weights[position]);
      if (interval.high < Candidates::threshold(shared)) continue;
      scratch.candidates[query].add({interval.low, interval.high, scratch.ids[position]}, shared);
    }
  }
}

void CpuSearch::rankQuery(size_t query) {
  std::vector<Candidate> candidates;
  for (const auto& scratch : scratches_) {
    const auto& items = scratch->candidates[query].items();
    candidates.insert(candidates.end(), items.begin(), items.end());
  }
  dropBelow(candidates, kthLow(candidates, task_->k));

  std::vector<uint32_t> rows(candidates.size());
  std::transform(candidates.begin(), candidates.end(), rows.begin(),
                 [](const Candidate& candidate) { return candidate.row; });
  rankRows(layout_, *chunks_, *task_, query, queryNorms_[query], rows, [this] { return stopped(); });
}

void CpuSearch::finish() { done_(std::move(failure_)); }

template <typename Step>
void CpuSearch::guarded(Step step) {
  if (stopped()) return;
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
  failed_ = true;
}

bool CpuSearch::stopped() const {
  return task_->cancelled.load(std::memory_order_relaxed) || failed_.load(std::memory_order_relaxed);
}

std::unique_ptr<CpuSearch::Scratch> CpuSearch::takeScratch() {
  {
    std::lock_guard lock(mutex_);
    if (!scratches_.empty()) {
      std::unique_ptr<Scratch> scratch = std::move(scratches_.back());
      scratches_.pop_back();
      return scratch;
    }
  }
  return std::make_unique<Scratch>(blockRows_, task_->k, task_->q);
}

void CpuSearch::giveBack(std::unique_ptr<Scratch> scratch) {
  std::lock_guard lock(mutex_);
  scratches_.push_back(std::move(scratch));
}

size_t CpuSearch::bytesWanted() const {
  const size_t perResult = 2 * sizeof(Candidate) + sizeof(uint64_t) + sizeof(uint32_t) + sizeof(float);
  return task_->q * (task_->k * perResult + layout_.stride * sizeof(float));
}

}  // namespace seine
