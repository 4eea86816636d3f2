#include "documentScan.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "../kernels/interval.h"

namespace seine {
namespace {

constexpr size_t kBlockBytes = 256 << 10;  // tokens of a block: they stay in the second-level cache
constexpr size_t kMaxBlockRows = 512;
constexpr size_t kStripeBytes = 1 << 20;  // tokens of a task
constexpr size_t kQueryTile = 64;         // tokens of a query that pass over a block together
constexpr float kInfinity = std::numeric_limits<float>::infinity();

size_t roundUp(size_t value, size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

}  // namespace

/// A block holds whole documents: the tokens of several, or of one that is as long as it is.
struct DocumentScan::Scratch {
  Scratch(size_t k, size_t q) : candidates(q, Candidates(k)) {}

  std::vector<const uint8_t*> rows;
  std::vector<float> factors;
  std::vector<uint32_t> ids;
  std::vector<size_t> ends;         // of each document: where its tokens end among the rows
  std::vector<float> longest;       // of each document: the length of its longest token, rounded up
  std::vector<double> lows, highs;  // of each document: bounds of the sum so far
  AlignedFloats scores;
  size_t room = 0;                     // of scores
  std::vector<Candidates> candidates;  // [q]
};

DocumentScan::DocumentScan(const ScanContext& context) : context_(context), thresholds_(context.task->q) {
  const SearchTask& task = *context.task;
  for (auto& threshold : thresholds_) threshold = -kInfinity;
  const size_t rowBytes = context.layout.bytesOf(context.layout.stride);
  blockRows_ = std::clamp(kBlockBytes / rowBytes, kRowGroup, kMaxBlockRows);
  toScan_ = task.listed.empty() ? task.count : task.listed.size();
  const size_t rows = std::max<size_t>(1, task.documents[task.count]);
  // Tasks of some milliseconds, by the average document.
  const size_t stripeRows = std::max(blockRows_, kStripeBytes / rowBytes);
  stripeDocuments_ = std::max<size_t>(1, stripeRows * task.count / rows);
  stripes_ = (toScan_ + stripeDocuments_ - 1) / stripeDocuments_;
}

DocumentScan::~DocumentScan() = default;

void DocumentScan::scanStripe(size_t stripe) {
  const SearchTask& task = *context_.task;
  std::unique_ptr<Scratch> scratch =
      scratches_.take([&] { return std::make_unique<Scratch>(task.k, task.q); });
  const size_t begin = stripe * stripeDocuments_, end = std::min(begin + stripeDocuments_, toScan_);
  for (size_t i = begin; i < end && !context_.stopped(); i++) {
    const uint32_t document = task.listed.empty() ? static_cast<uint32_t>(i) : task.listed[i];
    const bool passes = task.allowed.empty() || ((task.allowed[document / 32] >> (document % 32)) & 1) != 0;
    if (passes) addDocument(*scratch, document);
  }
  scanBlock(*scratch);
  scratches_.giveBack(std::move(scratch));
}

void DocumentScan::addDocument(Scratch& scratch, uint32_t document) {
  const Layout& layout = context_.layout;
  float longest = 0;
  for (size_t row = context_.task->documents[document]; row < context_.task->documents[document + 1]; row++) {
    const Chunk& chunk = context_.chunkOf(row);
    const size_t slot = context_.slotOf(row);
    scratch.rows.push_back(chunk.row(layout, slot));
    if (layout.dtype == Dtype::int8) scratch.factors.push_back(chunk.factors[slot]);
    longest = std::max(longest, chunk.weights[slot]);
  }
  scratch.ids.push_back(document);
  scratch.ends.push_back(scratch.rows.size());
  scratch.longest.push_back(longest);
  if (scratch.rows.size() >= blockRows_) scanBlock(scratch);
}

void DocumentScan::scanBlock(Scratch& scratch) {
  const SearchTask& task = *context_.task;
  const size_t count = scratch.rows.size(), queryStride = context_.layout.queryStride();
  // A whole number of groups, and one more to prefetch: the last row again.
  const size_t padded = roundUp(count, kRowGroup);
  if (count > 0) scratch.rows.resize(padded + kRowGroup, scratch.rows.back());
  scratch.factors.resize(padded);
  const size_t scoreStride = roundUp(count, kRowAlign);
  if (scratch.room < kQueryTile * scoreStride) {
    scratch.room = kQueryTile * scoreStride;
    scratch.scores = AlignedFloats(scratch.room);
  }
  for (size_t query = 0; query < task.q && !scratch.ids.empty(); query++) {
    scratch.lows.assign(scratch.ids.size(), 0);
    scratch.highs.assign(scratch.ids.size(), 0);
    for (size_t first = task.offsets[query]; first < task.offsets[query + 1]; first += kQueryTile) {
      if (context_.stopped()) return;
      const size_t tokens = std::min<size_t>(kQueryTile, task.offsets[query + 1] - first);
      if (count > 0) {
        context_.score({scratch.rows.data(), scratch.factors.data(), padded,
                        context_.queries.data() + first * queryStride, tokens, context_.layout.stride,
                        scratch.scores.data(), scoreStride});
      }
      for (size_t i = 0; i < tokens; i++) {
        addBest(scratch, first + i, scratch.scores.data() + i * scoreStride);
      }
    }
    collect(scratch, query);
  }
  scratch.rows.clear();
  scratch.factors.clear();
  scratch.ids.clear();
  scratch.ends.clear();
  scratch.longest.clear();
}

/// Adds the best product of a query's token with each document's to the sums. A score that is not finite may
/// be the best one: it leaves the document undecided, whatever the others are.
void DocumentScan::addBest(Scratch& scratch, size_t token, const float* scores) const {
  size_t begin = 0;
  for (size_t document = 0; document < scratch.ids.size(); document++) {
    float best = -kInfinity;
    bool finite = true;
    const size_t end = scratch.ends[document];
    for (size_t i = begin; i < end; i++) {
      best = scores[i] > best ? scores[i] : best;
      finite &= std::fabs(scores[i]) < kInfinity;  // false for NaN
    }
    Interval interval = {-kInfinity, finite ? -kInfinity : kInfinity};
    if (finite && end > begin) interval = context_.bounds[token].interval(best, scratch.longest[document]);
    scratch.lows[document] += interval.low;
    scratch.highs[document] += interval.high;
    begin = end;
  }
}

void DocumentScan::collect(Scratch& scratch, size_t query) {
  std::atomic<float>& shared = thresholds_[query];
  for (size_t i = 0; i < scratch.ids.size(); i++) {
    const bool empty = scratch.highs[i] == -kInfinity;  // certainly the lowest score
    const Interval interval =
        empty ? Interval{-kInfinity, -kInfinity} : roundedOutward(scratch.lows[i], scratch.highs[i]);
    if (interval.high < Candidates::threshold(shared)) continue;
    scratch.candidates[query].add({interval.low, interval.high, scratch.ids[i]}, shared);
  }
}

std::vector<uint32_t> DocumentScan::candidates(size_t query) const {
  std::vector<Candidate> all;
  for (const auto& scratch : scratches_.all()) {
    const auto& items = scratch->candidates[query].items();
    all.insert(all.end(), items.begin(), items.end());
  }
  return reachingRows(all, context_.task->k);
}

}  // namespace seine
