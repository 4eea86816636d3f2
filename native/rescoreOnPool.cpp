#include "rescoreOnPool.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "../kernels/canonical.h"
#include "canonicalScorer.h"
#include "pool.h"

namespace seine {
namespace {

constexpr size_t kSlice = 2048;  // pairs of a task

/// Pairs from `begin` to `end`: neighbours that share a query are scored together.
void rescore(const Layout& layout, const Chunks& chunks, RescoreTask& task, size_t begin, size_t end) {
  CanonicalScorer scorer(layout, chunks, task);
  double norm = 0;
  for (size_t from = begin, next; from < end; from = next) {
    const uint32_t query = task.pairQueries[from];
    const size_t most = std::min(end, from + CanonicalScorer::kGroup);
    next = from + 1;
    while (next < most && task.pairQueries[next] == query) next++;
    if (layout.metric == Metric::cosine && (from == begin || query != task.pairQueries[from - 1])) {
      norm = canonicalNorm(&task.queries[query * layout.dim], layout.dim);
    }
    scorer.score(query, norm, &task.pairRows[from], next - from, &task.scores[from]);
  }
}

}  // namespace

void rescoreOnPool(const Layout& layout, std::shared_ptr<const Chunks> chunks,
                   std::shared_ptr<RescoreTask> task, Done done) {
  const size_t pairs = task->pairRows.size();
  task->scores.resize(pairs);
  const auto full = std::make_shared<std::atomic<bool>>(false);
  submit((pairs + kSlice - 1) / kSlice,
         [layout, chunks = std::move(chunks), task, full](size_t slice) {
           try {
             const size_t begin = slice * kSlice;
             rescore(layout, *chunks, *task, begin, std::min(begin + kSlice, task->pairRows.size()));
           } catch (const std::bad_alloc&) {
             *full = true;
           }
         },
         [task, full, bytes = CanonicalScorer::kGroup * layout.dim * sizeof(float), done = std::move(done)] {
           if (*full) return done(outOfMemory("The working memory of rescoring", bytes));
           done(std::nullopt);
         });
}

}  // namespace seine
