// The first NaN or infinity of an array, found by the pool.
#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "environment.h"
#include "finite.h"
#include "functions.h"
#include "handles.h"
#include "pool.h"

namespace seine {
namespace {

constexpr size_t kSlice = 1 << 20;  // floats of a task
constexpr size_t kNone = ~size_t{0};

struct Finder {
  Borrowed<Floats> values;
  std::atomic<size_t> first{kNone};
  std::atomic<bool> gone{false};

  void look(size_t slice) {
    const size_t begin = slice * kSlice, end = std::min(begin + kSlice, values.memory().size);
    if (begin > first) return;
    const bool there = values.read([&](const Floats& floats) {
      const size_t at = begin + firstNotFinite(floats.data + begin, end - begin);
      for (size_t known = first; at < end && at < known && !first.compare_exchange_weak(known, at);) {
      }
    });
    if (!there) gone = true;
  }
};

}  // namespace

napi_value findNotFiniteFunction(const Call& call) {
  rowsOf(call);  // the pool is there
  const Floats values = call.floats(1, "values");
  Environment& environment = Environment::of(call.env());
  auto finder = std::make_shared<Finder>(Borrowed<Floats>(environment.lease(), values));
  Job job;
  job.kept = {call.keep(1)};
  job.value = [finder](napi_env env) {
    napi_value result;
    const size_t first = finder->first;
    check(napi_create_double(env, first == kNone ? -1 : static_cast<double>(first), &result), "a number");
    return result;
  };
  uint32_t number;
  return environment.startJob(
      std::move(job),
      [&](Done done) {
        submit((values.size + kSlice - 1) / kSlice, [finder](size_t slice) { finder->look(slice); },
               [finder, done = std::move(done)] {
                 if (finder->gone) return done(Error("ERR_CLOSED", "The environment ended during a check."));
                 done(std::nullopt);
               });
      },
      &number);
}

}  // namespace seine
