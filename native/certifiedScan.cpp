#include "certifiedScan.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "../kernels/interval.h"
#include "weighQuery.h"

namespace seine {
namespace {

constexpr size_t kBlockBytes = 256 << 10;  // codes of a block: they stay in the second-level cache
/// Of a block: the products with a tile of queries stay in the first-level cache.
constexpr size_t kMaxBlockRows = 256;
constexpr size_t kStripeBytes = 1 << 20;  // codes of a task
constexpr size_t kQueryTile = 32;         // queries whose products are looked at together
/// Blocks begin at a word of the bitset and hold an even number of groups.
constexpr size_t kRowMultiple = 32;
/// A query is open as soon as more than this share of the rows seen is left, and so many more.
constexpr size_t kOpenShare = 8;
constexpr size_t kOpenSpare = 1024;
/// Rows that are scored in float32 before the threshold is looked at again.
constexpr size_t kScoredAtOnce = 32;
/// So many times k rows, and few more, may be undecided by their codes before some are scored in float32.
constexpr size_t kUndecided = 4;

size_t roundUp(size_t value, size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

/// Not a power of two, or the products of all queries with a row would compete for the same lines of the
/// cache.
size_t dotStride(size_t blockRows) { return blockRows + kCodeGroup; }

}  // namespace

struct CertifiedScan::Scratch {
  Scratch(size_t blockRows, size_t features, size_t k, size_t q)
      : dots(kQueryTile * dotStride(blockRows)),
        features(features * blockRows),
        added(blockRows),
        positions(blockRows),
        candidates(q, CodedCandidates(k)) {}

  AlignedArray<int32_t> dots;  // [kQueryTile, dotStride]
  AlignedFloats features;      // [features, blockRows] of the block: those of a row in a column
  AlignedFloats added;         // [blockRows], see CodedRows
  std::vector<uint32_t> positions;
  std::vector<CodedCandidates> candidates;  // [q]
  size_t rowsSeen = 0;
};

CertifiedScan::CertifiedScan(const ScanContext& context)
    : context_(context), thresholds_(context.task->q), open_(context.task->q) {
  const size_t q = context.task->q, dim = context.layout.dim, stride = context.layout.codeStride;
  const bool narrow = context.isa.certify->narrowSums;
  queries_ = AlignedArray<int8_t>(roundUp(q, kQueryTile) * stride);
  for (size_t i = 0; i < q; i++) {
    int8_t* const codes = queries_.data() + i * stride;
    bounds_.push_back(encodeWeighed(context.layout, *context.task, i, context.query(i), narrow, codes));
    int32_t sum = 0;
    for (size_t j = 0; j < dim; j++) sum += codes[j];
    surplus_.push_back(128 * sum);
    thresholds_[i] = -std::numeric_limits<float>::infinity();
    if (bounds_[i].scale == 0) leaveOpen(i);
  }
  blockRows_ = std::clamp(kBlockBytes / stride / kRowMultiple * kRowMultiple, kRowMultiple, kMaxBlockRows);
  blockRows_ = std::min(blockRows_, context.layout.rowsPerChunk);
  // Tasks of some milliseconds.
  stripeRows_ =
      roundUp(std::max(blockRows_, kStripeBytes / stride / std::max<size_t>(1, q / 64)), kRowMultiple);
  stripes_ = (context.task->count + stripeRows_ - 1) / stripeRows_;
}

CertifiedScan::~CertifiedScan() = default;

void CertifiedScan::leaveOpen(size_t query) {
  if (!open_[query].exchange(true)) openCount_++;
}

std::vector<size_t> CertifiedScan::open() const {
  std::vector<size_t> queries;
  for (size_t i = 0; i < open_.size(); i++) {
    if (open_[i]) queries.push_back(i);
  }
  return queries;
}

void CertifiedScan::scanStripe(size_t stripe) {
  std::unique_ptr<Scratch> scratch = scratches_.take([this] {
    return std::make_unique<Scratch>(blockRows_, context_.layout.features, context_.task->k,
                                     context_.task->q);
  });
  size_t begin = stripe * stripeRows_;
  const size_t stripeEnd = std::min(begin + stripeRows_, context_.task->count);
  while (begin < stripeEnd && !context_.stopped() && openCount_ < context_.task->q) {
    const size_t chunkEnd = ((begin >> context_.layout.shift) + 1) << context_.layout.shift;
    const size_t end = std::min({begin + blockRows_, chunkEnd, stripeEnd});
    scanBlock(*scratch, begin, end);
    begin = end;
  }
  scratches_.giveBack(std::move(scratch));
}

/// Rows from `begin` to `end` of one chunk.
void CertifiedScan::scanBlock(Scratch& scratch, size_t begin, size_t end) {
  const std::vector<uint32_t>& allowed = context_.task->allowed;
  const auto word = [&](size_t row) { return allowed.begin() + static_cast<ptrdiff_t>(row / 32); };
  if (!allowed.empty() && std::all_of(word(begin), word(end + 31), [](uint32_t bits) { return bits == 0; })) {
    return;
  }
  scratch.rowsSeen += end - begin;
  const size_t stride = context_.layout.codeStride, q = context_.task->q;
  const uint8_t* const groups = context_.chunkOf(begin).codes + context_.slotOf(begin) * stride;
  const size_t width = context_.layout.features;
  for (size_t row = begin; width > 0 && row < end; row++) {
    const float* const features = context_.chunkOf(row).featuresOf(context_.layout, context_.slotOf(row));
    for (size_t i = 0; i < width; i++) scratch.features[i * blockRows_ + row - begin] = features[i];
  }
  const CodedRows rows = codedRows(begin);
  for (size_t first = 0; first < q; first += kQueryTile) {
    const size_t queries = std::min(kQueryTile, q - first);
    context_.isa.certify->dots({groups, roundUp(end - begin, kRowMultiple) / kCodeGroup,
                                queries_.data() + first * stride, &surplus_[first], queries, stride,
                                scratch.dots.data(), dotStride(blockRows_)});
    for (size_t i = 0; i < queries; i++) {
      if (open_[first + i].load(std::memory_order_relaxed)) continue;
      collect(scratch, first + i, scratch.dots.data() + i * dotStride(blockRows_), rows, begin, end);
    }
  }
}

CodedRows CertifiedScan::codedRows(size_t begin) const {
  const Chunk& chunk = context_.chunkOf(begin);
  const size_t slot = context_.slotOf(begin);
  const Metric metric = context_.layout.metric;
  const float* const lengths = metric == Metric::cosine ? nullptr
                               : metric == Metric::ip   ? chunk.weights.data() + slot
                                                        : chunk.lengths.data() + slot;
  const uint32_t* const allowed =
      context_.task->allowed.empty() ? nullptr : &context_.task->allowed[begin / 32];
  return {chunk.scales.data() + slot, chunk.errors.data() + slot, lengths, allowed, nullptr};
}

void CertifiedScan::collect(Scratch& scratch, size_t query, const int32_t* dots, CodedRows rows, size_t begin,
                            size_t end) {
  const size_t width = context_.layout.features;
  const float* const weights = width == 0 ? nullptr : &context_.task->weights[query * (1 + width) + 1];
  if (width > 0) {
    context_.isa.certify->weigh(scratch.features.data(), blockRows_, weights, width, end - begin,
                                scratch.added.data());
    rows.added = scratch.added.data();
  }
  const CodeBound& bound = bounds_[query];
  CodedCandidates& candidates = scratch.candidates[query];
  std::atomic<float>& shared = thresholds_[query];
  const size_t found = context_.isa.certify->survivors(
      dots, rows, end - begin, bound, Candidates::threshold(shared), scratch.positions.data());
  for (size_t j = 0; j < found; j++) {
    const uint32_t at = scratch.positions[j];
    const float length = rows.lengths == nullptr ? 1 : rows.lengths[at];
    Interval interval = bound.interval(dots[at], {rows.scales[at], rows.errors[at]}, length);
    if (width > 0) {
      const float* const features =
          context_.chunkOf(begin).featuresOf(context_.layout, context_.slotOf(begin) + at);
      interval = addFeatures(interval.low, interval.high, weights, features, width);
    }
    if (interval.high < Candidates::threshold(shared)) continue;
    candidates.add({interval.low, interval.high, static_cast<uint32_t>(begin + at)});
  }
  if (candidates.full()) narrow(scratch, query);
}

/// Drops candidates that are out. Where the codes leave many undecided, the best ones are scored in float32
/// at once: their lower ends are higher by what the codes do not know, and the rows to come are fewer.
void CertifiedScan::narrow(Scratch& scratch, size_t query) {
  const size_t k = context_.task->k;
  CodedCandidates& candidates = scratch.candidates[query];
  candidates.prune(thresholds_[query]);
  if (candidates.unscored() > kUndecided * k + kScoredAtOnce) {
    candidates.scoreBest(std::max(k, kScoredAtOnce), [&](std::span<Candidate> ones) { score(query, ones); });
    candidates.prune(thresholds_[query]);
  }
  if (candidates.size() > 4 * k + scratch.rowsSeen / kOpenShare + kOpenSpare) {
    leaveOpen(query);
    candidates.clear();
  }
}

std::vector<uint32_t> CertifiedScan::candidates(size_t query, size_t& scored) const {
  const size_t k = context_.task->k;
  CodedCandidates all(k);
  for (const auto& scratch : scratches_.all()) all.add(scratch->candidates[query]);
  all.dropBelow(kthLow(all.items(), k));
  // Best first: the k-th lower end by float32 scores soon exceeds all upper ends that are left.
  while (all.unscored() > 0 && !context_.stopped()) {
    all.scoreBest(std::max({k, kScoredAtOnce, all.scored() / 2}),
                  [&](std::span<Candidate> ones) { score(query, ones); });
    all.dropBelow(kthLow(all.items(), k));
  }
  scored += all.everScored();
  return rowsOf(all.items());
}

/// Replaces the bounds of candidates by those of their float32 scores.
void CertifiedScan::score(size_t query, std::span<Candidate> candidates) const {
  const size_t stride = context_.layout.stride, count = candidates.size(), width = context_.layout.features;
  std::vector<const uint8_t*> rows;
  for (const Candidate& one : candidates) {
    rows.push_back(context_.chunkOf(one.row).row(context_.layout, context_.slotOf(one.row)));
  }
  const size_t padded = roundUp(count, kRowGroup);
  rows.resize(padded + kRowGroup, rows.back());  // one group more, to prefetch
  AlignedFloats scores(padded);
  context_.score({rows.data(), nullptr, padded, context_.query(query), 1, stride, scores.data(), padded});
  for (size_t i = 0; i < count; i++) {
    const uint32_t row = candidates[i].row;
    const float weight =
        context_.layout.metric == Metric::l2 ? 0 : context_.chunkOf(row).weights[context_.slotOf(row)];
    Interval interval = context_.bounds[query].interval(scores[i], weight);
    if (width > 0) {
      const float* const features = context_.chunkOf(row).featuresOf(context_.layout, context_.slotOf(row));
      interval = weightedInterval(interval, &context_.task->weights[query * (1 + width)], features, width);
    }
    candidates[i] = {interval.low, interval.high, row};
  }
}

}  // namespace seine
