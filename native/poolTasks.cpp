#include "poolTasks.h"

#include <atomic>
#include <utility>

#include "../kernels/merge.h"
#include "../kernels/select.h"
#include "pool.h"

namespace seine {
namespace {

/// Runs `step(task, query)` for each query; it returns whether JavaScript's arrays were still there.
template <typename Task, typename Step>
void runQueries(std::shared_ptr<Task> task, Done done, Step step) {
  struct State {
    std::atomic<bool> gone{false}, full{false};
  };
  const auto state = std::make_shared<State>();
  task->ids.resize(task->q * task->k);
  task->best.resize(task->q * task->k);
  const size_t bytes = task->k * sizeof(uint64_t) * 2;
  submit(
      task->q,
      [task, state, step](size_t query) {
        try {
          if (!step(*task, query)) state->gone = true;
        } catch (const std::bad_alloc&) {
          state->full = true;
        }
      },
      [task, state, bytes, done = std::move(done)] {
        if (state->gone) return done(Error("ERR_CLOSED", "The environment ended meanwhile."));
        if (state->full) return done(outOfMemory("The working memory of a selection", bytes));
        done(std::nullopt);
      });
}

}  // namespace

void selectOnPool(std::shared_ptr<SelectTask> task, Done done) {
  runQueries(std::move(task), std::move(done), [](SelectTask& task, size_t query) {
    return task.scores.read([&](const Floats& scores) {
      selectScores(scores.data + query * task.n, task.n, task.k, task.lowest, &task.ids[query * task.k],
                   &task.best[query * task.k]);
    });
  });
}

void mergeOnPool(std::shared_ptr<MergeTask> task, Done done) {
  runQueries(std::move(task), std::move(done), [](MergeTask& task, size_t query) {
    return task.entries.read([&](const MergeEntries& all) {
      const MergeEntries entries = {all.ids, all.scores, all.starts + query * task.lists};
      mergeLists(entries, task.lists, task.k, task.lowest, &task.ids[query * task.k],
                 &task.best[query * task.k]);
    });
  });
}

}  // namespace seine
