// The ops on scores as JavaScript sees them; types in ts/device/native.ts.
#include <memory>
#include <utility>

#include "backend.h"
#include "environment.h"
#include "functions.h"
#include "handles.h"

namespace seine {
namespace {

constexpr double kMost = 0xffffffff;

/// Starts `run(task, done)`, whose result goes to the arrays at `ids` and `ids + 1`; arguments 1 to `inputs`
/// are kept.
template <typename Task, typename Run>
napi_value startTask(const Call& call, std::shared_ptr<Task> task, size_t inputs, size_t ids, Run run) {
  if (call.words(ids, "ids").size != task->q * task->k ||
      call.floats(ids + 1, "scores").size != task->q * task->k) {
    throw Error("ERR_ARGUMENT", "ids and scores must be [q, k].");
  }
  Job job;
  job.kept = {call.keep(ids), call.keep(ids + 1)};
  for (size_t i = 1; i <= inputs; i++) job.kept.push_back(call.keep(i));
  job.value = [task, toIds = job.kept[0], toScores = job.kept[1]](napi_env env) {
    fillArray(env, toIds, napi_uint32_array, task->ids);
    fillArray(env, toScores, napi_float32_array, task->best);
    return undefined(env);
  };
  uint32_t number;
  return Environment::of(call.env())
      .startJob(
          std::move(job), [&](Done done) { run(std::move(task), std::move(done)); }, &number);
}

}  // namespace

napi_value selectFunction(const Call& call) {
  Backend& backend = backendOf(call);
  const Floats scores = call.floats(1, "scores");
  const auto q = static_cast<size_t>(call.number(2, "q", 1, kMost));
  const auto n = static_cast<size_t>(call.number(3, "n", 1, kMost - 1));
  const auto k = static_cast<size_t>(call.number(4, "k", 1, static_cast<double>(n)));
  const bool lowest = call.boolean(5, "lowest");
  if (scores.size != q * n) throw Error("ERR_DIMENSION", "scores must be [q, n].");
  Borrowed<Floats> borrowed(Environment::of(call.env()).lease(), scores);
  auto task = std::shared_ptr<SelectTask>(new SelectTask{std::move(borrowed), q, n, k, lowest});
  return startTask(call, std::move(task), 1, 6, [&backend](std::shared_ptr<SelectTask> task, Done done) {
    backend.select(std::move(task), std::move(done));
  });
}

napi_value mergeFunction(const Call& call) {
  Backend& backend = backendOf(call);
  const Words ids = call.words(1, "ids"), starts = call.words(3, "starts");
  const Floats scores = call.floats(2, "scores");
  const auto q = static_cast<size_t>(call.number(4, "q", 1, kMost));
  const auto lists = static_cast<size_t>(call.number(5, "lists", 1, kMost));
  const auto k = static_cast<size_t>(call.number(6, "k", 1, static_cast<double>(ids.size)));
  const bool lowest = call.boolean(7, "lowest");
  bool rising = starts.size == q * lists + 1 && starts.data[0] == 0 && starts.data[q * lists] == ids.size;
  for (size_t i = 0; rising && i < q * lists; i++) rising = starts.data[i] <= starts.data[i + 1];
  if (!rising || scores.size != ids.size) {
    throw Error("ERR_DIMENSION",
                "starts must be [q * lists + 1] and rise from 0 to the number of ids and scores.");
  }
  const MergeEntries entries = {ids.data, scores.data, starts.data};
  Borrowed<MergeEntries> borrowed(Environment::of(call.env()).lease(), entries);
  auto task = std::shared_ptr<MergeTask>(new MergeTask{std::move(borrowed), ids.size, q, lists, k, lowest});
  return startTask(call, std::move(task), 3, 8, [&backend](std::shared_ptr<MergeTask> task, Done done) {
    backend.merge(std::move(task), std::move(done));
  });
}

}  // namespace seine
