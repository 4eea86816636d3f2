#include "merge.h"

#include <functional>
#include <queue>
#include <vector>

#include "canonical.h"

namespace seine {
namespace {

/// The first entry that is left of a list.
struct Head {
  uint64_t key;
  uint32_t entry;
  uint32_t end;
  bool operator>(const Head& other) const { return key > other.key; }
};

}  // namespace

void mergeLists(const MergeEntries& entries, size_t lists, size_t k, bool lowest, uint32_t* ids,
                float* scores) {
  const auto keyOf = [&](uint32_t i) { return orderKey(lowest, entries.scores[i], entries.ids[i]); };
  std::priority_queue<Head, std::vector<Head>, std::greater<>> heads;
  for (size_t list = 0; list < lists; list++) {
    const uint32_t begin = entries.starts[list], end = entries.starts[list + 1];
    if (begin < end) heads.push({keyOf(begin), begin, end});
  }
  for (size_t i = 0; i < k && !heads.empty(); i++) {
    Head head = heads.top();
    heads.pop();
    ids[i] = entries.ids[head.entry];
    scores[i] = entries.scores[head.entry];
    if (++head.entry == head.end) continue;
    head.key = keyOf(head.entry);
    heads.push(head);
  }
}

}  // namespace seine
