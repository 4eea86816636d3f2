// Rows that may still be among the k best of a query, some known by their codes alone, some by their float32
// scores as well, whose bounds are far closer.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <span>
#include <vector>

#include "candidates.h"

namespace seine {

/// As `Candidates`: k rows reach the threshold for certain, so whatever the order and the number of
/// collectors, every row of the answer stays in one of them.
class CodedCandidates {
 public:
  explicit CodedCandidates(size_t k) : k_(k), limit_(pruneAt(k, 0)) {}

  /// Takes a row that is known by its codes.
  void add(Candidate candidate) { items_.push_back(candidate); }
  /// Takes what another collector of the query has.
  void add(const CodedCandidates& other);

  size_t size() const { return items_.size(); }
  const std::vector<Candidate>& items() const { return items_; }
  void clear() {
    items_ = {};
    scored_ = 0;
  }
  size_t scored() const { return scored_; }
  /// Those that are out by now, too.
  size_t everScored() const { return everScored_; }
  size_t unscored() const { return items_.size() - scored_; }

  /// Enough came since it was pruned for that to pay again.
  bool full() const { return items_.size() >= limit_; }

  /// Drops what is known to be out, by its own rows or those of all collectors.
  void prune(std::atomic<float>& shared);

  /// Scores by `score(candidates)`, in place, the `count` rows with the highest upper ends that have not
  /// been.
  template <typename Score>
  void scoreBest(size_t count, Score score) {
    const auto from = items_.begin() + static_cast<ptrdiff_t>(scored_);
    const auto to = from + static_cast<ptrdiff_t>(std::min(count, unscored()));
    if (from == to) return;
    std::nth_element(from, to - 1, items_.end(),
                     [](const Candidate& one, const Candidate& other) { return one.high > other.high; });
    score(std::span<Candidate>(from, to));
    scored_ += static_cast<size_t>(to - from);
    everScored_ += static_cast<size_t>(to - from);
  }

  /// Drops the rows that cannot reach `threshold`.
  void dropBelow(float threshold);

 private:
  size_t k_;
  size_t limit_;
  std::vector<Candidate> items_;  // those that are scored stand first
  size_t scored_ = 0;
  size_t everScored_ = 0;
};

inline void CodedCandidates::add(const CodedCandidates& other) {
  const auto middle = other.items_.begin() + static_cast<ptrdiff_t>(other.scored_);
  items_.insert(items_.begin() + static_cast<ptrdiff_t>(scored_), other.items_.begin(), middle);
  items_.insert(items_.end(), middle, other.items_.end());
  scored_ += other.scored_;
  everScored_ += other.everScored_;
}

inline void CodedCandidates::prune(std::atomic<float>& shared) {
  dropBelow(raised(shared, kthLow(items_, k_)));
  limit_ = pruneAt(k_, items_.size());
}

inline void CodedCandidates::dropBelow(float threshold) {
  const auto out = [threshold](const Candidate& candidate) { return candidate.high < threshold; };
  const auto middle = items_.begin() + static_cast<ptrdiff_t>(scored_);
  const auto end = std::remove_if(middle, items_.end(), out);
  const auto scoredEnd = std::remove_if(items_.begin(), middle, out);
  scored_ = static_cast<size_t>(scoredEnd - items_.begin());
  items_.erase(std::move(middle, end, scoredEnd), items_.end());
}

}  // namespace seine
