// Rows that may still be among the k best of a query.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace seine {

/// A row and the bounds of its canonical score (higher is better).
struct Candidate {
  float low;
  float high;
  uint32_t row;
};

/// The k-th highest of one end, k no more than there are candidates: by halving the range and counting, which
/// no branch depends on.
inline float kthHighest(const std::vector<Candidate>& candidates, size_t k, float Candidate::*end) {
  // Signed integers in the order of the numbers.
  const auto turn = [](int32_t bits) { return bits ^ ((bits >> 31) & 0x7fffffff); };
  std::vector<int32_t> keys(candidates.size());
  for (size_t i = 0; i < keys.size(); i++) keys[i] = turn(std::bit_cast<int32_t>(candidates[i].*end));
  const auto [least, most] = std::minmax_element(keys.begin(), keys.end());
  int64_t low = *least, high = *most;
  while (low < high) {
    const auto middle = static_cast<int32_t>(low + (high - low + 1) / 2);
    uint32_t count = 0;
    for (const int32_t key : keys) count += key >= middle ? 1 : 0;
    if (count >= k) {
      low = middle;
    } else {
      high = int64_t{middle} - 1;
    }
  }
  return std::bit_cast<float>(turn(static_cast<int32_t>(low)));
}

/// The k-th highest lower end, or -infinity if there are fewer than k.
inline float kthLow(const std::vector<Candidate>& candidates, size_t k) {
  if (candidates.size() < k) return -std::numeric_limits<float>::infinity();
  return kthHighest(candidates, k, &Candidate::low);
}

inline void dropBelow(std::vector<Candidate>& candidates, float threshold) {
  std::erase_if(candidates, [threshold](const Candidate& candidate) { return candidate.high < threshold; });
}

inline std::vector<uint32_t> rowsOf(const std::vector<Candidate>& candidates) {
  std::vector<uint32_t> rows(candidates.size());
  std::transform(candidates.begin(), candidates.end(), rows.begin(),
                 [](const Candidate& candidate) { return candidate.row; });
  return rows;
}

/// The rows of those that may be among the k best. Drops candidates.
inline std::vector<uint32_t> reachingRows(std::vector<Candidate>& candidates, size_t k) {
  dropBelow(candidates, kthLow(candidates, k));
  return rowsOf(candidates);
}

/// The higher one of what all collectors of a query know and what one of them has found, made known to all.
inline float raised(std::atomic<float>& shared, float own) {
  float known = shared.load(std::memory_order_relaxed);
  while (own > known && !shared.compare_exchange_weak(known, own, std::memory_order_relaxed)) {
  }
  return std::max(own, known);
}

/// How many candidates there are to be before it pays to drop some, `kept` of which stayed last time: where
/// many rows tie, the collection grows with them, by doubling.
inline size_t pruneAt(size_t k, size_t kept) { return std::max(2 * k + 16, 2 * kept); }

/// Collects candidates. k rows reach the threshold for certain, so a row that cannot reach it is out;
/// whatever the order and the number of collectors, every row of the answer stays in one of them.
class Candidates {
 public:
  explicit Candidates(size_t k) : k_(k), limit_(pruneAt(k, 0)) {}

  /// What all collectors of the query know; they may miss each other's latest news.
  static float threshold(const std::atomic<float>& shared) { return shared.load(std::memory_order_relaxed); }

  void add(Candidate candidate, std::atomic<float>& shared) {
    items_.push_back(candidate);
    if (items_.size() >= limit_) prune(shared);
  }

  const std::vector<Candidate>& items() const { return items_; }
  void clear() { items_ = {}; }

  /// Drops what is known to be out.
  void prune(std::atomic<float>& shared) {
    dropBelow(items_, raised(shared, kthLow(items_, k_)));
    limit_ = pruneAt(k_, items_.size());
  }

 private:
  size_t k_;
  size_t limit_;
  std::vector<Candidate> items_;
};

}  // namespace seine
