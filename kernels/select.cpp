#include "select.h"

#include <algorithm>
#include <vector>

#include "canonical.h"

namespace seine {
namespace {

/// Keys that are kept beyond 2k before all but k are dropped.
constexpr size_t kSpare = 1024;

}  // namespace

void selectScores(const float* scores, size_t n, size_t k, bool lowest, uint32_t* columns, float* best) {
  const size_t room = std::min(n, 2 * k + kSpare);
  std::vector<uint64_t> keys;
  keys.reserve(room);
  const auto kth = [&] { return keys.begin() + static_cast<ptrdiff_t>(k - 1); };
  bool limited = false;
  float limit = 0;  // of the k-th best so far: a later column needs a better one
  for (size_t i = 0; i < n; i++) {
    const float score = scores[i];
    if (limited && !(lowest ? score < limit : score > limit)) continue;
    keys.push_back(orderKey(lowest, score, static_cast<uint32_t>(i)));
    if (keys.size() < room) continue;
    std::nth_element(keys.begin(), kth(), keys.end());
    keys.resize(k);
    limit = keyScore(lowest, *kth());
    limited = true;
  }
  std::partial_sort(keys.begin(), kth() + 1, keys.end());
  for (size_t i = 0; i < k; i++) {
    columns[i] = keyRow(keys[i]);
    best[i] = keyScore(lowest, keys[i]);
  }
}

}  // namespace seine
