// Filters on the emulated CUDA device: what they pass, bytes moved and copied.
#include "filterTest.h"

#include <cuda_runtime.h>

#include <memory>
#include <vector>

#include "deviceCalls.h"
#include "emulationTest.h"

using namespace seine;

/// kernels/README.md: each word of a column once, a bitset written a leaf, joins and the count in bitsets.
void testFilter(Backend& backend) {
  constexpr size_t kRows = 40000 + 7, kWords = (kRows + 31) / 32;
  auto rows = backend.createRows(4, Metric::ip, Dtype::f32, 0, true);
  std::vector<uint32_t> codes(kRows), ends(kRows), members;
  for (size_t row = 0; row < kRows; row++) {
    codes[row] = static_cast<uint32_t>(row % 10);
    for (size_t i = 0; i < row % 3; i++) members.push_back(static_cast<uint32_t>(row % 5));
    ends[row] = static_cast<uint32_t>(members.size());
  }
  const size_t half = kRows / 2;
  check(writeColumn(*rows, 0, 0, {codes.begin(), codes.begin() + half}).empty(), "a column is written");
  const size_t uploaded = machine().uploaded;
  check(writeColumn(*rows, 0, half, {codes.begin() + half, codes.end()}).empty(), "a column grows");
  check(machine().uploaded - uploaded == (kRows - half) * sizeof(uint32_t), "only new words are uploaded");
  writeColumn(*rows, 2, 0, codes);
  writeColumn(*rows, 3, 0, codes);
  writeColumn(*rows, 4, 0, ends);
  writeColumn(*rows, 5, 0, members);
  const auto run = [&](std::vector<FilterStep> steps, size_t depth, size_t passing, double bytes) {
    const auto task = std::make_shared<FilterTask>();
    task->steps = std::move(steps);
    task->intervals = {{3, 3}, {uint64_t{7} << 32 | 7, uint64_t{7} << 32 | 9}};
    task->depth = depth;
    task->count = kRows;
    machine().launches.clear();
    const bool done = filter(*rows, task).empty();
    check(done && task->passing == passing && task->mask.size() == kWords,
          "a filter passes " + std::to_string(task->passing) + " rows");
    size_t moved = 0;
    for (const emulation::Launch& launch : machine().launches) moved += launch.read + launch.written;
    const double share = static_cast<double>(moved) / bytes;
    check(share > 0.95 && share <= 1.05, "it moves " + std::to_string(share) + " of the bytes it must");
  };
  const FilterStep code = {FilterOp::code, 0, 0, 1}, wide = {FilterOp::wide, 1, 1, 1};
  const FilterStep set = {FilterOp::set, 2, 0, 1}, negate = {FilterOp::negate, 0, 0, 0};
  const FilterStep either = {FilterOp::disjoin, 0, 0, 0};
  // Of each interval a row reads both ends, and of small memory no more is counted than it holds.
  constexpr double kBitset = 4.0 * kWords, kIntervals = 2 * sizeof(FilterInterval);
  run({code}, 1, 4001, 4.0 * kRows + kIntervals + 2 * kBitset);
  run({code, negate}, 1, kRows - 4001, 4.0 * kRows + kIntervals + 4 * kBitset);
  run({code, wide, either}, 2, 4001 + 4000, 12.0 * kRows + 2 * kIntervals + 6 * kBitset);
  size_t holding = 0;
  for (size_t row = 0; row < kRows; row++) holding += row % 3 > 0 && row % 5 == 3;
  const double all = static_cast<double>(members.size());
  // Two rows read each end: what a cache holds of these counts once.
  const double bothEnds = 8.0 * kRows - static_cast<double>(emulation::Machine::kCache);
  run({set}, 1, holding, bothEnds + 4 * all + kIntervals + 2 * kBitset);
  const auto none = std::make_shared<FilterTask>();
  none->steps = {{FilterOp::none, 0, 0, 0}};
  none->depth = 1;
  none->count = kRows;
  const size_t downloaded = machine().downloaded;
  check(filter(*rows, none).empty() && none->passing == 0, "nothing passes");
  check(machine().downloaded - downloaded == sizeof(uint32_t), "of what is empty the count alone comes back");
  none->count = kRows + 1;
  none->steps = {code};
  check(filter(*rows, none).starts_with("ERR_INTERNAL "), "rows that a column lacks are refused");
}
