#include "filterOnPool.h"

#include <algorithm>
#include <utility>

#include "pool.h"

namespace seine {
namespace {

constexpr size_t kSlice = 1024;  // words of a bitset that a task fills: its stack stays in the caches

}  // namespace

void writeOnPool(std::shared_ptr<ColumnStore> store, size_t array, size_t at, Borrowed<Words> words,
                 Done done) {
  const auto failure = std::make_shared<std::optional<Error>>();
  submit(
      1,
      [store = std::move(store), array, at, words = std::move(words), failure](size_t) {
        try {
          const bool there =
              words.read([&](const Words& given) { store->write(array, at, given.data, given.size); });
          if (!there) *failure = Error("ERR_CLOSED", "The environment ended meanwhile.");
        } catch (const Error& error) {
          *failure = error;
        } catch (const std::bad_alloc&) {
          *failure = Error("ERR_OUT_OF_MEMORY", "Memory ran out when a column was written.");
        }
      },
      [failure, done = std::move(done)] { done(std::move(*failure)); });
}

void filterOnPool(const ColumnStore& store, std::shared_ptr<FilterTask> task, Done done) {
  auto arrays = store.arrays();
  const auto at = [&](size_t array) { return array < arrays.size() ? arrays[array] : ColumnStore::Array(); };
  task->checkColumns([&](size_t array) { return at(array).size; });
  std::vector<FilterColumn> columns;
  for (size_t array = 0; array < arrays.size(); array += 2) {
    columns.push_back({at(array).words.get(), at(array + 1).words.get(), at(array + 1).size});
  }
  const size_t words = task->words();
  task->mask.resize(words);
  const auto full = std::make_shared<std::atomic<bool>>(false);
  submit(
      (words + kSlice - 1) / kSlice,
      [arrays = std::move(arrays), columns = std::move(columns), task, full](size_t slice) {
        if (task->cancelled) return;
        try {
          const size_t first = slice * kSlice;
          const size_t some = std::min(kSlice, task->words() - first);
          std::vector<uint32_t> stack(task->depth * some);
          const FilterProgram program = {task->steps.data(), task->steps.size(), task->intervals.data(),
                                         task->bits.data(),  columns.data(),     task->count};
          task->passing += filterRows(program, first, some, stack.data());
          std::copy_n(stack.data(), some, &task->mask[first]);
        } catch (const std::bad_alloc&) {
          *full = true;
        }
      },
      [task, full, done = std::move(done)] {
        if (*full) {
          return done(outOfMemory("The working memory of a filter", task->depth * kSlice * sizeof(uint32_t)));
        }
        done(std::nullopt);
      });
}

}  // namespace seine
