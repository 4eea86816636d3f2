#include "certifyTest.h"

#include <cuda_runtime.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "../../../kernels/certify.cuh"
#include "deviceCalls.h"
#include "emulationTest.h"

namespace {

using namespace seine;

/// Sample, three times two for the k-th of its bounds, codes: launches of a pass over rows of one slab.
constexpr size_t kPassLaunches = 8;

size_t passesOf(size_t q) { return (q + cuda::kCodeQueries - 1) / cuda::kCodeQueries; }

/// Around the widths of tiles and passes, each tile and each place in it takes part, and no rows are read.
void testBatches(Backend& backend) {
  constexpr size_t kDim = 48, kRows = 700;
  auto rows = backend.createRows(kDim, Metric::ip, Dtype::f32, 0, true);
  const std::vector<float> data = draw(kRows * kDim, 1);
  append(*rows, data, kDim);
  for (const size_t q : {1, 7, 8, 9, 16, 17, 31, 32, 33, 64, 257}) {
    const std::string what = std::to_string(q) + " queries";
    std::vector<float> queries = draw(q * kDim, 2);
    // Their thresholds are far apart: none can stand for another.
    for (size_t i = 0; i < q; i++) {
      for (size_t j = 0; j < kDim; j++) queries[i * kDim + j] *= static_cast<float>(1 << (i * 7 % 13));
    }
    const auto task = taskOf(queries, kDim, 5, kRows);
    const size_t before = machine().launches.size();
    check(search(*rows, task).empty() && isExact(*task, Metric::ip, data, kDim), what + " are answered");
    check(machine().launches.size() - before == passesOf(q) * kPassLaunches, what + " take their passes");
    const auto some = taskOf(queries, kDim, 3, kRows);
    some->allowed.assign((kRows + 31) / 32, 0x5bd1e995u);
    some->allowed.back() &= (1u << kRows % 32) - 1;
    some->passing = 0;
    for (const uint32_t word : some->allowed) some->passing += static_cast<size_t>(__builtin_popcount(word));
    check(search(*rows, some).empty() && isExact(*some, Metric::ip, data, kDim),
          what + " are answered by rows that pass");
  }
}

/// Where memory is short a pass takes fewer queries.
void testShortMemory(Backend& backend) {
  constexpr size_t kDim = 16, kRows = 600;
  emulation::Gpu& gpu = *machine().gpus[0];
  auto rows = backend.createRows(kDim, Metric::l2, Dtype::f32, 0, true);
  const std::vector<float> data = draw(kRows * kDim, 1);
  append(*rows, data, kDim);
  drain();
  gpu.capacity = gpu.allocated + (256 << 10);
  const auto task = taskOf(draw(40 * kDim, 2), kDim, 4, kRows);
  const size_t before = machine().launches.size();
  check(search(*rows, task).empty() && isExact(*task, Metric::l2, data, kDim),
        "40 queries are answered in little memory");
  check(machine().launches.size() - before > passesOf(40) * kPassLaunches, "in more passes");
  gpu.capacity = size_t{1} << 30;
}

/// kernels/README.md: the codes of each row and what is kept beside them, once for each 32 queries.
void testTraffic(Backend& backend) {
  constexpr size_t kDim = 384, kRows = 49152;
  auto rows = backend.createRows(kDim, Metric::ip, Dtype::f32, 0, true);
  append(*rows, draw(kRows * kDim, 5), kDim);
  // What the selection moves does not depend on the number of rows: its bins, 11, 11 and 10 bits, read and
  // cleared. Of few queries they stay in a cache.
  const auto binsOf = [](size_t q) { return q <= cuda::kCodeTile ? 0 : q * 2 * 5 * 1024 * sizeof(uint32_t); };
  for (const size_t q : {1, 8, 32}) {
    const double floor = (kDim + 12.0) * kRows + static_cast<double>(binsOf(q));
    const auto task = taskOf(draw(q * kDim, 6), kDim, 3, kRows);
    const double share = static_cast<double>(bytesMoved(*rows, task)) / floor;
    check(share > 0.99 && share <= 1.05,
          std::to_string(q) + " queries move " + std::to_string(share) + " of the bytes of the codes");
    check(machine().launches.size() == passesOf(q) * kPassLaunches, "codes alone are read");
  }
  constexpr size_t kWidth = 5;
  auto wide = backend.createRows(kDim, Metric::ip, Dtype::f32, kWidth, true);
  append(*wide, draw(kRows * kDim, 5), kDim, draw(kRows * kWidth, 8));
  for (const size_t q : {32}) {
    const auto weighed = taskOf(draw(q * kDim, 6), kDim, 3, kRows);
    weighed->weights = draw(q * (1 + kWidth), 9);
    const double floor = (kDim + 12.0 + 4 * kWidth) * kRows + static_cast<double>(binsOf(q));
    const double share = static_cast<double>(bytesMoved(*wide, weighed)) / floor;
    check(share > 0.99 && share <= 1.05, std::to_string(q) + " queries with features move " +
                                             std::to_string(share) + " of the bytes");
    check(machine().launches.size() == kPassLaunches, "codes and features alone are read");
  }
  const auto some = taskOf(draw(kDim, 7), kDim, 10, kRows);
  some->allowed.assign(kRows / 32, 0);
  for (size_t word = 0; word < kRows / 32; word += 4) some->allowed[word] = 0xffff;
  some->passing = kRows / 8;
  const double few = static_cast<double>(bytesMoved(*rows, some)) / ((kDim + 12.0) * kRows / 8);
  check(few <= 1.2, "groups of which no row passes are not read: " + std::to_string(few));
}

/// A large k among so many rows that a small sample would leave more survivors than there is room for.
void testLargeK(Backend& backend) {
  constexpr size_t kDim = 16, kRows = 100000, kBest = 256;
  auto rows = backend.createRows(kDim, Metric::ip, Dtype::f32, 0, true);
  const std::vector<float> data = draw(kRows * kDim, 3);
  append(*rows, data, kDim);
  for (const size_t q : {1, 9}) {
    const auto task = taskOf(draw(q * kDim, 4), kDim, kBest, kRows);
    const size_t before = machine().launches.size();
    check(search(*rows, task).empty() && isExact(*task, Metric::ip, data, kDim), "a large k is answered");
    check(machine().launches.size() - before == kPassLaunches, "a large k is answered by codes alone");
  }
}

}  // namespace

void testCertify(Backend& backend) {
  testShortMemory(backend);  // before the others make lanes keep more memory than it has
  testBatches(backend);
  testLargeK(backend);
  testTraffic(backend);
}
