#include "rankRows.h"

#include <algorithm>

#include "../kernels/canonical.h"
#include "canonicalScorer.h"

namespace seine {
void rankRows(const Layout& layout, const Chunks& chunks, SearchTask& task, size_t query, double queryNorm,
              const std::vector<uint32_t>& rows, const std::function<bool()>& stopped) {
  constexpr size_t kGroup = CanonicalScorer::kGroup;
  // A document may take as long as many rows.
  const size_t group = task.documents.empty() ? kGroup : 1;
  CanonicalScorer scorer(layout, chunks, task);
  std::vector<uint64_t> keys;
  keys.reserve(rows.size());
  for (size_t start = 0; start < rows.size() && !stopped(); start += group) {
    const size_t count = std::min(group, rows.size() - start);
    float scores[kGroup];
    scorer.score(query, queryNorm, &rows[start], count, scores);
    for (size_t i = 0; i < count; i++) keys.push_back(orderKey(layout.metric, scores[i], rows[start + i]));
  }
  if (stopped()) return;
  const size_t k = task.k;
  if (keys.size() < k) throw Error("ERR_INTERNAL", "The scan found fewer candidates than results.");
  std::partial_sort(keys.begin(), keys.begin() + static_cast<ptrdiff_t>(k), keys.end());
  for (size_t i = 0; i < k; i++) {
    task.ids[query * k + i] = keyRow(keys[i]);
    task.scores[query * k + i] = keyScore(layout.metric, keys[i]);
  }
}

}  // namespace seine
