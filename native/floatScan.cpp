#include "floatScan.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include "../kernels/interval.h"

namespace seine {
namespace {

constexpr size_t kBlockBytes = 256 << 10;  // rows of a block: they stay in the second-level cache
constexpr size_t kMaxBlockRows = 512;
constexpr size_t kStripeBytes = 2 << 20;  // rows of a task
constexpr size_t kQueryTile = 64;         // queries that pass over a block together

}  // namespace

struct FloatScan::Scratch {
  Scratch(size_t blockRows, size_t k, size_t q)
      : weights(blockRows + kRowAlign),
        factors(blockRows + kRowAlign),
        scores(kQueryTile * (blockRows + kRowAlign)),
        candidates(q, Candidates(k)) {
    rows.reserve(blockRows + 2 * kRowGroup);
    ids.reserve(blockRows);
    positions.resize(blockRows);
  }

  std::vector<const uint8_t*> rows;
  std::vector<uint32_t> ids;
  std::vector<uint32_t> positions;
  AlignedFloats weights;
  AlignedFloats factors;
  AlignedFloats scores;
  std::vector<Candidates> candidates;  // [which]
};

FloatScan::FloatScan(const ScanContext& context, std::vector<size_t> which)
    : context_(context),
      which_(std::move(which)),
      queries_(context.queries.data()),
      thresholds_(which_.size()) {
  const SearchTask& task = *context.task;
  const size_t stride = context.layout.queryStride();
  if (which_.size() < task.q) {
    gathered_ = AlignedFloats(which_.size() * stride);
    for (size_t i = 0; i < which_.size(); i++) {
      std::memcpy(gathered_.data() + i * stride, context.query(which_[i]), stride * sizeof(float));
    }
    queries_ = gathered_.data();
  }
  for (auto& threshold : thresholds_) threshold = -std::numeric_limits<float>::infinity();
  const size_t rowBytes = context.layout.bytesOf(context.layout.stride);
  blockRows_ = std::clamp(kBlockBytes / rowBytes / kRowAlign * kRowAlign, kRowAlign, kMaxBlockRows);
  rowsToScan_ = task.listed.empty() ? task.count : task.listed.size();
  // Tasks of some milliseconds; a stripe begins at a word of the bitset.
  stripeRows_ = std::max(blockRows_, kStripeBytes / rowBytes / std::max<size_t>(1, which_.size() / 16));
  stripeRows_ = (stripeRows_ + 31) / 32 * 32;
  stripes_ = (rowsToScan_ + stripeRows_ - 1) / stripeRows_;
}

FloatScan::~FloatScan() = default;

void FloatScan::scanStripe(size_t stripe) {
  std::unique_ptr<Scratch> scratch = scratches_.take(
      [this] { return std::make_unique<Scratch>(blockRows_, context_.task->k, which_.size()); });
  const size_t begin = stripe * stripeRows_;
  scanRange(*scratch, begin, std::min(begin + stripeRows_, rowsToScan_));
  scratches_.giveBack(std::move(scratch));
}

void FloatScan::scanRange(Scratch& scratch, size_t begin, size_t end) {
  const std::vector<uint32_t>&allowed = context_.task->allowed, &listed = context_.task->listed;
  if (!listed.empty()) {
    for (size_t i = begin; i < end && !context_.stopped(); i++) addRow(scratch, listed[i]);
  } else if (allowed.empty()) {
    for (size_t row = begin; row < end && !context_.stopped(); row++) {
      addRow(scratch, static_cast<uint32_t>(row));
    }
  } else {
    for (size_t word = begin / 32; word * 32 < end && !context_.stopped(); word++) {
      for (uint32_t bits = allowed[word]; bits != 0; bits &= bits - 1) {
        addRow(scratch, static_cast<uint32_t>(word * 32 + static_cast<size_t>(std::countr_zero(bits))));
      }
    }
  }
  scanBlock(scratch);
}

void FloatScan::addRow(Scratch& scratch, uint32_t row) {
  const Chunk& chunk = context_.chunkOf(row);
  const size_t slot = context_.slotOf(row);
  const Layout& layout = context_.layout;
  if (!isDistance(layout.metric)) scratch.weights[scratch.ids.size()] = chunk.weights[slot];
  if (layout.dtype == Dtype::int8) scratch.factors[scratch.ids.size()] = chunk.factors[slot];
  scratch.rows.push_back(chunk.row(layout, slot));
  scratch.ids.push_back(row);
  if (scratch.ids.size() == blockRows_) scanBlock(scratch);
}

void FloatScan::scanBlock(Scratch& scratch) {
  const size_t count = scratch.ids.size(), queryStride = context_.layout.queryStride();
  if (count == 0) return;
  // A whole number of groups, and one more to prefetch: the last row again.
  const size_t padded = (count + kRowGroup - 1) / kRowGroup * kRowGroup;
  scratch.rows.resize(padded + kRowGroup, scratch.rows.back());
  for (size_t first = 0; first < which_.size() && !context_.stopped(); first += kQueryTile) {
    const size_t queries = std::min(kQueryTile, which_.size() - first);
    context_.score({scratch.rows.data(), scratch.factors.data(), padded, queries_ + first * queryStride,
                    queries, context_.layout.stride, scratch.scores.data(), blockRows_});
    collect(scratch, first, queries);
  }
  scratch.rows.clear();
  scratch.ids.clear();
}

void FloatScan::collect(Scratch& scratch, size_t first, size_t queries) {
  for (size_t i = 0; i < queries; i++) {
    const size_t place = first + i;
    const Bound& bound = context_.bounds[which_[place]];
    const float* scores = scratch.scores.data() + i * blockRows_;
    if (context_.layout.features > 0) {
      collectWeighted(scratch, place, scores);
      continue;
    }
    std::atomic<float>& shared = thresholds_[place];
    const size_t found =
        context_.isa.scan->survivors(scores, scratch.weights.data(), scratch.ids.size(), bound,
                                     Candidates::threshold(shared), scratch.positions.data());
    for (size_t j = 0; j < found; j++) {
      const uint32_t position = scratch.positions[j];
      const Interval interval = bound.interval(scores[position], scratch.weights[position]);
      if (interval.high < Candidates::threshold(shared)) continue;
      scratch.candidates[place].add({interval.low, interval.high, scratch.ids[position]}, shared);
    }
  }
}

/// The same where features are to be weighed first.
void FloatScan::collectWeighted(Scratch& scratch, size_t place, const float* scores) {
  const size_t width = context_.layout.features, query = which_[place];
  const float* const weights = &context_.task->weights[query * (1 + width)];
  const Bound& bound = context_.bounds[query];
  std::atomic<float>& threshold = thresholds_[place];
  for (size_t i = 0; i < scratch.ids.size(); i++) {
    const uint32_t row = scratch.ids[i];
    const float* const features = context_.chunkOf(row).featuresOf(context_.layout, context_.slotOf(row));
    const Interval similarity = bound.interval(scores[i], scratch.weights[i]);
    const Interval interval = weightedInterval(similarity, weights, features, width);
    if (interval.high < Candidates::threshold(threshold)) continue;
    scratch.candidates[place].add({interval.low, interval.high, row}, threshold);
  }
}

std::vector<uint32_t> FloatScan::candidates(size_t place) const {
  std::vector<Candidate> all;
  for (const auto& scratch : scratches_.all()) {
    const auto& items = scratch->candidates[place].items();
    all.insert(all.end(), items.begin(), items.end());
  }
  return reachingRows(all, context_.task->k);
}

}  // namespace seine
