// A filter under way: see FilterTask in ts/device/device.ts.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "../kernels/filter.h"
#include "error.h"

namespace seine {

struct FilterTask {
  std::vector<FilterStep> steps;
  std::vector<FilterInterval> intervals;
  std::vector<uint32_t> bits;
  size_t depth = 0;  // bitsets on the stack at most
  size_t count = 0;  // rows, at least 1
  /// Set by the JavaScript thread; to be polled. The result of a cancelled filter is not used.
  std::atomic<bool> cancelled{false};

  // The result, filled in before Done.
  std::vector<uint32_t> mask;  // [words]
  std::atomic<size_t> passing{0};

  /// Of a bitset.
  size_t words() const { return (count + 31) / 32; }

  /// Throws Error unless the columns of all leaves hold the rows; `sizes(array)` is the words of an array.
  template <typename Sizes>
  void checkColumns(Sizes sizes) const {
    for (const FilterStep& step : steps) {
      if (step.op != FilterOp::code && step.op != FilterOp::wide && step.op != FilterOp::set) continue;
      const size_t first = size_t{step.operand} * 2;
      if (sizes(first) < count || (step.op == FilterOp::wide && sizes(first + 1) < count)) {
        throw Error("ERR_INTERNAL", "A filter names more rows than a column has.");
      }
    }
  }
};

}  // namespace seine
