// Tests of the emulation itself (emulationTest.cpp), and of the CUDA device's host code where the addon shows
// too little: bytes copied, memory freed, failures. Prints each check and exits with 1 if one fails.
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>

#include "../../../kernels/codes.h"
#include "../../../kernels/scan.cuh"
#include "certifyTest.h"
#include "deviceCalls.h"
#include "emulationTest.h"
#include "faultTest.h"
#include "filterTest.h"
#include "graphsTest.h"
#include "lanesTest.h"
#include "maxsimTest.h"

namespace {

using namespace seine;

/// Whether kernels tell of each access to memory: not where the address sanitizer looks at them.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kWatched = false;
#else
constexpr bool kWatched = true;
#endif

std::unique_ptr<Backend> openDevice() {
  std::unique_ptr<Backend> backend;
  check(open(backend).empty(), "the device opens");
  return backend;
}

void testDevice() {
  const std::unique_ptr<Backend> backend = openDevice();
  std::printf("%s\n", backend->description().c_str());
  constexpr size_t kDim = 40;
  emulation::Machine& device = machine();
  emulation::Gpu& gpu = *device.gpus[0];
  for (const Metric metric : {Metric::ip, Metric::cosine, Metric::l2}) {
    auto rows = backend->createRows(kDim, metric, Dtype::f32, 0, true);
    std::vector<float> data = draw(900 * kDim, 1);
    check(append(*rows, data, kDim).empty(), "rows are appended");
    const size_t before = device.uploaded;
    const std::vector<float> more = draw(50 * kDim, 2);
    append(*rows, more, kDim);
    data.insert(data.end(), more.begin(), more.end());
    const size_t weight = metric == Metric::l2 ? 0 : sizeof(float);
    const size_t facts = (metric == Metric::l2 ? 3 : 2) * sizeof(float);
    // Of the codes whole groups, the one that was begun before, too.
    const size_t codes = 64 * 4 * kCodeGroup;
    check(device.uploaded - before == 50 * (48 * sizeof(float) + weight + facts) + codes,
          "only new rows are uploaded");
    const auto task = taskOf(draw(11 * kDim, 3), kDim, 17, 950);
    check(search(*rows, task).empty() && isExact(*task, metric, data, kDim), "a search is exact");
    const auto some = taskOf(draw(3 * kDim, 4), kDim, 5, 920);
    some->allowed.assign(29, 0);
    for (size_t row = 0; row < 920; row += 7) some->allowed[row / 32] |= 1u << (row % 32);
    some->passing = 132;
    check(search(*rows, some).empty() && isExact(*some, metric, data, kDim), "a filtered search is exact");
  }
  {
    auto rows = backend->createRows(3, Metric::ip, Dtype::f32, 0, true);
    const std::vector<float> equal(3 * 4000, 1.0f);
    append(*rows, equal, 3);
    const size_t before = device.launches.size();
    const auto task = taskOf({1, 2, 3}, 3, 2, 4000);
    check(search(*rows, task).empty() && isExact(*task, Metric::ip, equal, 3), "4000 ties are settled");
    // Sample, three times two for its k-th bound, codes; then rows, bounds, selection and twice the
    // collection.
    check(device.launches.size() - before == 8 + 10, "more candidates than room are collected again");
    task->cancelled = true;
    check(search(*rows, task).empty(), "a cancelled search ends");
  }
  {
    auto rows = backend->createRows(64, Metric::l2, Dtype::f32, 0, true);
    const std::vector<float> data = draw(100 * 64, 5);
    append(*rows, data, 64);
    drain();
    gpu.capacity = gpu.allocated + (64 << 10);
    const std::string failure = append(*rows, draw(20000 * 64, 6), 64);
    check(failure.starts_with("ERR_OUT_OF_MEMORY") && failure.find(" bytes wanted, ") != failure.npos,
          "memory that is short is reported: " + failure);
    const auto task = taskOf(draw(8 * 64, 7), 64, 3, 100);
    gpu.capacity = size_t{1} << 30;
    check(search(*rows, task).empty() && isExact(*task, Metric::l2, data, 64), "the rows before are intact");
    gpu.capacity = gpu.allocated + (24 << 10);
    const auto wide = taskOf(draw(8 * 64, 8), 64, 3, 100);
    check(search(*rows, wide).empty() && isExact(*wide, Metric::l2, data, 64), "little memory is enough");
    gpu.capacity = size_t{1} << 30;
  }
  drain();
  check(device.device.empty() && gpu.allocated == 0, "disposed rows leave no memory on the device");
}

void testTraffic() {
  const std::unique_ptr<Backend> backend = openDevice();
  constexpr size_t kDim = 384, kRows = 3000;
  // Queries, bounds and results lie in one buffer: what all blocks read of it is counted up to its size.
  constexpr double kPacked = 64 << 10;
  auto rows = backend->createRows(kDim, Metric::ip, Dtype::f32, 0, true);
  append(*rows, draw(kRows * kDim, 1), kDim);
  for (const size_t q : {1, 3, 8}) {
    // kernels/README.md: each row once, what is written and read again of each score, and three times the
    // bins.
    const double queries = static_cast<double>(q);
    const double scores = queries * (36.0 * kRows + 3 * 2 * sizeof(uint32_t) * cuda::kBins);
    const double least = 4.0 * kDim * kRows + scores;
    // Too many for codes to be read.
    const size_t k = kRows / 16 + 1;
    const auto task = taskOf(draw(q * kDim, 2), kDim, k, kRows);
    const double share = static_cast<double>(bytesMoved(*rows, task)) / least;
    check(share > 0.95 && share <= 1.05,
          std::to_string(q) + " queries move " + std::to_string(share) + " of the bytes they must");
    // The last launch writes the ids of those that the host ranks: lost counts would make them many.
    const size_t collected = machine().launches.back().written / sizeof(uint32_t);
    check(collected >= q * k && collected <= q * (k + 2), "hardly more rows are collected than the k best");
    const auto some = taskOf(draw(q * kDim, 3), kDim, kRows / 10 / 16 + 1, kRows);
    some->allowed.assign((kRows + 31) / 32, 0);
    for (size_t row = 0; row < kRows; row += 10) some->allowed[row / 32] |= 1u << (row % 32);
    some->passing = kRows / 10;
    const double few = static_cast<double>(bytesMoved(*rows, some));
    check(few <= 1.05 * (4.0 * kDim * kRows / 10 + scores) + kPacked, "rows that do not pass are not read");
    const auto listed = taskOf(draw(q * kDim, 4), kDim, 10, kRows);
    for (uint32_t row = 3; row < kRows; row += 20) listed->listed.push_back(row);
    listed->passing = kRows / 20;
    const double slots = queries * (36.0 * kRows / 20 + 3 * 2 * sizeof(uint32_t) * cuda::kBins);
    // Each row's number twice: for its numbers and for its bounds.
    const double rowBytes = (4.0 * kDim + 4 + 4 * queries) * kRows / 20;
    check(static_cast<double>(bytesMoved(*rows, listed)) <= 1.05 * (rowBytes + slots) + kPacked,
          "of listed rows and their scores alone bytes are moved");
  }
  testCertify(*backend);
  testFilter(*backend);
  testMaxsim(*backend);
  emulation::Stream stream{machine().gpus[0].get()};
  void* memory = nullptr;
  cudaMalloc(&memory, 400);
  const auto failureOf = [&](size_t reach, size_t threads) {
    stream.work.push_back([=] {
      machine().runGrid(
          [=] { machine().touch(static_cast<char*>(memory) + reach * threadIdx.x, 4, false); }, {1, 1, 1},
          static_cast<unsigned>(threads));
    });
    machine().finish(stream);
    return std::exchange(stream.gpu->failure, "");
  };
  const std::string behind = failureOf(100, 5);
  check(!behind.empty(), "an access behind an allocation is found: " + behind);
  check(failureOf(100, 4).empty(), "the last bytes of an allocation are no fault");
  stream.gpu = machine().gpus[1].get();
  check(!failureOf(4, 1).empty(), "an access to the memory of another device is found");
  cudaFree(memory);
}

}  // namespace

/// Lets each call fail, or each n-th from one on that a seed draws: `emulatedCudaTest [n seed]`.
int main(int count, char** arguments) {
  const bool drawn = count == 3;
  testFaults(drawn ? std::stoul(arguments[1]) : 1, drawn ? std::stoul(arguments[2]) : 0);
  testEmulation();
  testDevice();
  testLanes();
  testGraphs();
  if (kWatched) testTraffic();
  return allPassed() ? 0 : 1;
}
