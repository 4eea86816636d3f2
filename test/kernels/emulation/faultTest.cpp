// Faults at the n-th call of the CUDA runtime, for every n: a typed error or a right answer, nothing leaks,
// and the next call is right; or, where the fault broke the device, says the same again.
#include "faultTest.h"

#include <cuda_runtime.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <functional>

#include "deviceCalls.h"
#include "emulationTest.h"

namespace {

using namespace seine;

constexpr size_t kDim = 24, kFirst = 150, kRows = 190;
constexpr int kRight = 0, kWrong = 1, kNotMet = 2;
constexpr unsigned kMostSeconds = 120;

/// A call whose result is known; it returns as those of deviceCalls.h, or "wrong".
struct Step {
  const char* name;
  std::function<std::string()> call;
};

std::string verdict(const std::string& failure, bool right) {
  return !failure.empty() ? failure : right ? "" : "wrong";
}

/// Every call of the device, in an order in which each can be called again after it failed.
class Scenario {
 public:
  std::vector<Step> steps() {
    return {
        {"open", [&] { return open(backend_); }},
        {"upload",
         [&] {
           if (!rows_) rows_ = backend_->createRows(kDim, Metric::ip, Dtype::f32, 0, true);
           return append(*rows_, {data_.begin(), data_.begin() + kFirst * kDim}, kDim);
         }},
        {"write a column", [&] { return writeColumn(*rows_, 0, 0, columns_); }},
        {"append", [&] { return append(*rows_, {data_.begin() + kFirst * kDim, data_.end()}, kDim); }},
        {"search", [&] { return found(taskOf(draw(9 * kDim, 2), kDim, 30, kRows)); }},
        {"certified search", [&] { return found(taskOf(draw(2 * kDim, 3), kDim, 3, kRows)); }},
        {"searches by rows that are recorded", [&] { return searchAgain(20); }},
        {"searches by codes that are recorded", [&] { return searchAgain(3); }},
        {"search of some rows", [&] { return searchSome(); }},
        {"search of listed rows", [&] { return searchListed(); }},
        {"filter", [&] { return filterRows(); }},
        {"rescore", [&] { return rescoreRows(); }},
        {"select", [&] { return selectScores(); }},
        {"merge", [&] { return mergeLists(); }},
    };
  }

  void dispose() {
    rows_.reset();
    drain();
  }

 private:
  std::string found(const std::shared_ptr<SearchTask>& task) {
    // Where the device was lost before, an append says it as well.
    if (rows_->count() < kRows) return append(*rows_, data_, kDim);
    const std::string failure = search(*rows_, task);
    return verdict(failure, failure.empty() && isExact(*task, Metric::ip, data_, kDim));
  }

  /// The first time is not recorded, the third is started as the second was; a lane takes one or the other.
  std::string searchAgain(size_t k) {
    for (unsigned i = 0; i < 4; i++) {
      const std::string failure = found(taskOf(draw(2 * kDim, 10 + i), kDim, k, kRows));
      if (!failure.empty()) return failure;
    }
    return "";
  }

  std::string searchSome() {
    const auto task = taskOf(draw(kDim, 4), kDim, 7, kRows);
    task->allowed.assign((kRows + 31) / 32, 0);
    for (size_t row = 0; row < kRows; row += 3) task->allowed[row / 32] |= 1u << (row % 32);
    task->passing = (kRows + 2) / 3;
    return found(task);
  }

  std::string searchListed() {
    const auto task = taskOf(draw(kDim, 5), kDim, 4, kRows);
    for (uint32_t row = 5; row < kRows; row += 20) task->listed.push_back(row);
    task->passing = task->listed.size();
    return found(task);
  }

  std::string filterRows() {
    const auto task = std::make_shared<FilterTask>();
    task->steps = {{FilterOp::code, 0, 0, 1}, {FilterOp::negate, 0, 0, 0}};
    task->intervals = {{3, 3}};
    task->depth = 1;
    task->count = kRows;
    const std::string failure = filter(*rows_, task);
    return verdict(failure, task->passing == kRows - std::count(columns_.begin(), columns_.end(), 3u));
  }

  std::string rescoreRows() {
    const auto task = std::make_shared<RescoreTask>();
    task->queries = draw(kDim, 6);
    task->q = 1;
    task->pairQueries = {0, 0};
    task->pairRows = {kRows - 1, 1};
    const std::string failure = rescore(*rows_, task);
    const auto all = taskOf(task->queries, kDim, kRows, kRows);
    if (!failure.empty()) return failure;
    const std::string other = search(*rows_, all);
    const auto scoreOf = [&](uint32_t row) {
      return all->scores[static_cast<size_t>(std::find(all->ids.begin(), all->ids.end(), row) -
                                             all->ids.begin())];
    };
    return verdict(other, other.empty() && task->scores == std::vector{scoreOf(kRows - 1), scoreOf(1)});
  }

  std::string selectScores() {
    const std::vector<float> scores = {1, 5, 2, 5, -1, 0};
    const Floats given = {const_cast<float*>(scores.data()), scores.size()};
    const auto task = std::shared_ptr<SelectTask>(
        new SelectTask{Borrowed<Floats>(std::make_shared<Lease>(), given), 2, 3, 2, false});
    const std::string failure = ended([&](Done done) { backend_->select(task, done); });
    return verdict(failure, task->ids == std::vector<uint32_t>{1, 2, 0, 2});
  }

  std::string mergeLists() {
    const std::vector<uint32_t> ids = {7, 3, 9}, starts = {0, 2, 3};
    const std::vector<float> scores = {4, 1, 2};
    const auto task = std::shared_ptr<MergeTask>(
        new MergeTask{Borrowed<MergeEntries>(std::make_shared<Lease>(),
                                             MergeEntries{ids.data(), scores.data(), starts.data()}),
                      3, 1, 2, 2, false});
    const std::string failure = ended([&](Done done) { backend_->merge(task, done); });
    return verdict(failure, task->ids == std::vector<uint32_t>{7, 9});
  }

  const std::vector<float> data_ = draw(kRows * kDim, 1);
  const std::vector<uint32_t> columns_ = [] {
    std::vector<uint32_t> codes(kRows);
    for (size_t row = 0; row < kRows; row++) codes[row] = static_cast<uint32_t>(row % 7);
    return codes;
  }();
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Rows> rows_;
};

int complain(const char* step, const std::string& what) {
  std::printf("FAILED: %s: %s\n", step, what.c_str());
  std::fflush(stdout);
  return kWrong;
}

/// In a process of its own: the first call that fails does so by a typed error, all others are right.
int failsOnce(size_t n) {
  machine().fault = emulation::Fault{emulation::Call::any, n, false};
  Scenario scenario;
  size_t failures = 0;
  for (const Step& step : scenario.steps()) {
    std::string result = step.call();
    if (result.starts_with("ERR_DEVICE CUDA device 0 failed at ") || result.starts_with("ERR_OUT_OF_MEMORY ")) {
      failures++;
      result = step.call();
    }
    if (!result.empty()) return complain(step.name, result);
  }
  if (failures > 1) return complain("all", "more than one call failed");
  scenario.dispose();
  if (machine().gpus[0]->allocated != 0) return complain("dispose", "memory is left on the device");
  return machine().fault->left <= n ? kNotMet : kRight;
}

/// In a process of its own: once the device is lost every call says so in the same words.
int isLost(size_t n) {
  machine().fault = emulation::Fault{emulation::Call::any, n, true};
  Scenario scenario;
  std::string lost;
  for (const Step& step : scenario.steps()) {
    const std::string result = step.call();
    if (lost.empty() && result.starts_with("ERR_DEVICE_LOST CUDA device 0 was lost at ")) lost = result;
    if (result != lost) return complain(step.name, "'" + result + "' instead of '" + lost + "'");
  }
  scenario.dispose();
  std::unique_ptr<Backend> again;
  const std::string result = open(again);
  if (result != lost) return complain("open again", result);
  return lost.empty() ? kNotMet : kRight;
}

/// Lets the call `first` fail and each `every`-th after it, each in a process of its own; returns the first
/// that is not met.
size_t sweep(const char* what, size_t every, size_t first, int (*run)(size_t n)) {
  for (size_t n = first;; n += every) {
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
      alarm(kMostSeconds);
      _exit(run(n));
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == kNotMet) return n;
    if (WIFEXITED(status) && WEXITSTATUS(status) == kRight) continue;
    check(false, std::string(what) + ", call " + std::to_string(n) + ", status " + std::to_string(status));
    return n;
  }
}

}  // namespace

void testFaults(size_t every, size_t seed) {
  const std::string some = "each " + std::to_string(every) + ". of ";
  const size_t once = sweep("a call that fails", every, seed % every, failsOnce);
  check(once > 100, some + std::to_string(once) + " calls may fail, and the next one works");
  const size_t lost = sweep("a call that breaks the device", every, seed % every, isLost);
  check(lost > 100, some + std::to_string(lost) + " calls may break the device, which says so");
}
