// Columns and filters as JavaScript sees them; types in ts/device/native.ts.
#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "backend.h"
#include "environment.h"
#include "functions.h"
#include "handles.h"

namespace seine {
namespace {

constexpr double kMost = 0xffffffff;
constexpr double kMostArrays = 1 << 20;

/// Copies whole records out of an array of words.
template <typename Record>
std::vector<Record> recordsOf(const Words& words, const char* name) {
  static_assert(sizeof(Record) == 4 * sizeof(uint32_t));
  if (words.size % 4 != 0) throw Error("ERR_DIMENSION", std::string(name) + " must be records of 4 words.");
  std::vector<Record> records(words.size / 4);
  if (words.size > 0) std::memcpy(records.data(), words.data, words.size * sizeof(uint32_t));
  return records;
}

/// Whether the steps name what there is and leave one bitset; sets the depth of their stack.
bool isWellFormed(FilterTask& task) {
  const size_t bitsets = task.bits.size() / task.words();
  size_t held = 0;
  for (const FilterStep& step : task.steps) {
    switch (step.op) {
      case FilterOp::none:
        held++;
        break;
      case FilterOp::bits:
        if (step.operand >= bitsets) return false;
        held++;
        break;
      case FilterOp::code:
      case FilterOp::wide:
      case FilterOp::set:
        if (step.count == 0 || uint64_t{step.first} + step.count > task.intervals.size()) return false;
        held++;
        break;
      case FilterOp::negate:
        if (held < 1) return false;
        break;
      case FilterOp::conjoin:
      case FilterOp::disjoin:
        if (held < 2) return false;
        held--;
        break;
      default:
        return false;
    }
    task.depth = std::max(task.depth, held);
  }
  return held == 1;
}

}  // namespace

napi_value writeColumnFunction(const Call& call) {
  ResidentRows& resident = rowsOf(call);
  const auto array = static_cast<size_t>(call.number(1, "array", 0, kMostArrays));
  const auto at = static_cast<size_t>(call.number(2, "at", 0, kMost));
  const Words words = call.words(3, "words");
  Environment& environment = Environment::of(call.env());
  Job job;
  job.kept = {call.keep(3)};
  job.value = undefined;
  uint32_t number;
  return environment.startJob(
      std::move(job),
      [&](Done done) {
        resident.rows->writeColumn(array, at, Borrowed<Words>(environment.lease(), words), std::move(done));
      },
      &number);
}

napi_value filterFunction(const Call& call) {
  ResidentRows& resident = rowsOf(call);
  auto task = std::make_shared<FilterTask>();
  task->steps = recordsOf<FilterStep>(call.words(1, "steps"), "steps");
  task->intervals = recordsOf<FilterInterval>(call.words(2, "intervals"), "intervals");
  const Words bits = call.words(3, "bits");
  task->count = static_cast<size_t>(call.number(4, "count", 1, kMost));
  if (bits.size % task->words() != 0) throw Error("ERR_DIMENSION", "bits must be whole bitsets.");
  if (call.words(5, "mask").size != task->words())
    throw Error("ERR_DIMENSION", "mask must have a bit a row.");
  task->bits.assign(bits.data, bits.data + bits.size);
  if (!isWellFormed(*task)) throw Error("ERR_ARGUMENT", "steps must be a program that leaves one bitset.");
  Job job;
  job.cancelled = {task, &task->cancelled};
  job.kept = {call.keep(5)};
  job.value = [task, mask = job.kept[0]](napi_env env) {
    if (!task->cancelled) fillArray(env, mask, napi_uint32_array, task->mask);
    napi_value passing;
    check(napi_create_double(env, static_cast<double>(task->passing), &passing), "a number");
    return passing;
  };
  return startCancellable(call.env(), std::move(job),
                          [&](Done done) { resident.rows->filter(std::move(task), std::move(done)); });
}

}  // namespace seine
