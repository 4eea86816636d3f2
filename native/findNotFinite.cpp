// The first NaN or infinity of an array, found by the pool.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <utility>

#include "environment.h"
#include "functions.h"
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
      const float* const data = floats.data;
      for (size_t i = begin; i < end; i += kBlock) {
        const size_t stop = std::min(i + kBlock, end);
        if (allFinite(data + i, stop - i)) continue;
        while (isFinite(data[i])) i++;
        for (size_t known = first; i < known && !first.compare_exchange_weak(known, i);) {
        }
        return;
      }
    });
    if (!there) gone = true;
  }

 private:
  static constexpr size_t kBlock = 1024;

  static uint32_t exponent(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits & 0x7f800000u;
  }
  static bool isFinite(float value) { return exponent(value) != 0x7f800000u; }
  /// Without an exit in the loop, so that compilers vectorize it.
  static bool allFinite(const float* data, size_t count) {
    uint32_t largest = 0;
    for (size_t i = 0; i < count; i++) largest = std::max(largest, exponent(data[i]));
    return largest != 0x7f800000u;
  }
};

}  // namespace

napi_value findNotFiniteFunction(const Call& call) {
  const Floats values = call.floats(0, "values");
  Environment& environment = Environment::of(call.env());
  auto finder = std::make_shared<Finder>(Borrowed<Floats>(environment.lease(), values));
  Job job;
  job.kept = {call.keep(0)};
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
