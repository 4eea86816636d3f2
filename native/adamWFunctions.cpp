// Steps of AdamW on JavaScript's arrays, and the length of a gradient, by the pool.
#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../kernels/adamW.h"
#include "environment.h"
#include "functions.h"
#include "isaNamed.h"
#include "pool.h"

namespace seine {
namespace {

/// Elements of a task; sums of squares are added up task by task, so it is part of what the norm means.
constexpr size_t kSlice = 1 << 16;

size_t tasksOf(size_t size) { return (size + kSlice - 1) / kSlice; }

struct Stepping {
  Borrowed<AdamWArrays> arrays;
  const AdamWKernel& kernel;
  size_t size, decayed;
  AdamWStep step;
  std::atomic<bool> gone{false};

  void run(size_t task) {
    const size_t begin = task * kSlice, end = std::min(begin + kSlice, size);
    const size_t middle = std::clamp(decayed, begin, end);
    const bool there = arrays.read([&](const AdamWArrays& all) {
      kernel.update(all, begin, middle, step, true);
      kernel.update(all, middle, end, step, false);
    });
    if (!there) gone = true;
  }
};

struct Measuring {
  Borrowed<Floats> values;
  const AdamWKernel& kernel;
  std::vector<double> sums;
  std::atomic<bool> gone{false};

  void run(size_t task) {
    const size_t begin = task * kSlice, end = std::min(begin + kSlice, values.memory().size);
    const bool there = values.read(
        [&](const Floats& floats) { sums[task] = kernel.squaredLength(floats.data + begin, end - begin); });
    if (!there) gone = true;
  }
};

/// Runs the tasks of `work` on the pool.
template <typename Work>
napi_value start(const Call& call, std::shared_ptr<Work> work, size_t tasks, Job job) {
  uint32_t number;
  return Environment::of(call.env())
      .startJob(
          std::move(job),
          [&](Done done) {
            submit(
                tasks, [work](size_t task) { work->run(task); },
                [work, done = std::move(done)] {
                  if (work->gone)
                    return done(Error("ERR_CLOSED", "The environment ended during a training step."));
                  done(std::nullopt);
                });
          },
          &number);
}

}  // namespace

napi_value adamWFunction(const Call& call) {
  const AdamWKernel& kernel = *isaNamed(call.string(0, "isa")).adamW;
  const auto threads = static_cast<size_t>(call.number(1, "threads", 1, 1024));
  const Floats parameters = call.floats(2, "parameters"), mean = call.floats(3, "mean");
  const Floats variance = call.floats(4, "variance"), gradient = call.floats(5, "gradient");
  const size_t size = parameters.size;
  if (mean.size != size || variance.size != size || gradient.size != size) {
    throw Error("ERR_DIMENSION", "parameters, mean, variance and gradient must be of one size.");
  }
  const auto decayed = static_cast<size_t>(call.number(6, "decayed", 0, static_cast<double>(size)));
  constexpr size_t kConstants = sizeof(AdamWStep) / sizeof(double);
  size_t count = 0;
  const void* const constants = typedArrayData(call.env(), call.value(7), napi_float64_array, &count);
  if (constants == nullptr || count != kConstants) {
    throw Error("ERR_ARGUMENT", "constants must be a Float64Array of " + std::to_string(kConstants) + ".");
  }
  const auto* const c = static_cast<const double*>(constants);
  startPool(threads);
  const AdamWArrays arrays = {parameters.data, mean.data, variance.data, gradient.data};
  auto work = std::shared_ptr<Stepping>(
      new Stepping{Borrowed<AdamWArrays>(Environment::of(call.env()).lease(), arrays),
                   kernel,
                   size,
                   decayed,
                   {c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]}});
  Job job;
  job.kept = {call.keep(2), call.keep(3), call.keep(4), call.keep(5)};
  job.value = undefined;
  return start(call, std::move(work), tasksOf(size), std::move(job));
}

napi_value squaredLengthFunction(const Call& call) {
  const AdamWKernel& kernel = *isaNamed(call.string(0, "isa")).adamW;
  const auto threads = static_cast<size_t>(call.number(1, "threads", 1, 1024));
  const Floats values = call.floats(2, "values");
  startPool(threads);
  const size_t tasks = tasksOf(values.size);
  auto work = std::shared_ptr<Measuring>(new Measuring{
      Borrowed<Floats>(Environment::of(call.env()).lease(), values), kernel, std::vector<double>(tasks)});
  Job job;
  job.kept = {call.keep(2)};
  job.value = [work](napi_env env) {
    double total = 0;
    for (const double sum : work->sums) total += sum;
    napi_value result;
    check(napi_create_double(env, total, &result), "a number");
    return result;
  };
  return start(call, std::move(work), tasks, std::move(job));
}

}  // namespace seine
