// Rescoring as JavaScript sees it; types in ts/device/native.ts.
#include <algorithm>
#include <memory>
#include <utility>

#include "backend.h"
#include "environment.h"
#include "functions.h"
#include "handles.h"

namespace seine {

napi_value rescoreFunction(const Call& call) {
  constexpr double kMost = 0xffffffff;
  ResidentRows& resident = rowsOf(call);
  const bool bits = resident.layout.dtype == Dtype::binary;
  const Words words = bits ? call.words(1, "queries") : Words{nullptr, 0};
  const Floats queries = bits ? Floats{nullptr, 0} : call.floats(1, "queries");
  const auto q = static_cast<size_t>(call.number(2, "q", 1, kMost));
  const Words pairQueries = call.words(3, "pairQueries"), pairRows = call.words(4, "pairRows");
  const size_t width = bits ? resident.layout.storedBytes() / 4 : resident.layout.dim;
  const size_t pairs = pairRows.size;
  if (pairs == 0 || pairQueries.size != pairs || call.floats(5, "scores").size != pairs) {
    throw Error("ERR_DIMENSION", "pairQueries, pairRows and scores must be [pairs].");
  }
  const auto below = [](const Words& all, size_t limit) {
    return std::all_of(all.data, all.data + all.size, [limit](uint32_t one) { return one < limit; });
  };
  auto task = std::make_shared<RescoreTask>();
  task->q = q;
  const bool documents = !call.isUndefined(8);
  const size_t items = documents ? call.words(8, "documents").size - 1 : resident.rows->count();
  readDocuments(call, 7, resident, items, *task);
  if (queries.size + words.size != task->vectors() * width) {
    throw Error("ERR_DIMENSION", "queries must be [q, dim], or [tokens, dim] with offsets.");
  }
  if (!below(pairRows, items) || !below(pairQueries, q)) {
    throw Error("ERR_ARGUMENT", "pairs must name queries below q and rows that are there.");
  }
  task->queries.assign(queries.data, queries.data + queries.size);
  task->words.assign(words.data, words.data + words.size);
  task->weights = weightsOf(call, 6, resident.layout, q);
  task->pairQueries.assign(pairQueries.data, pairQueries.data + pairs);
  task->pairRows.assign(pairRows.data, pairRows.data + pairs);
  Job job;
  job.kept = {call.keep(5)};
  job.value = [task, scores = job.kept[0]](napi_env env) {
    fillArray(env, scores, napi_float32_array, task->scores);
    return undefined(env);
  };
  uint32_t number;
  return Environment::of(call.env())
      .startJob(
          std::move(job), [&](Done done) { resident.rows->rescore(std::move(task), std::move(done)); },
          &number);
}

}  // namespace seine
