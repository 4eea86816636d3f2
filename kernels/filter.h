// Conditions over columns of typed attributes, as programs in postfix form: steps push bitsets of rows to a
// stack and join them. One meaning for processors and GPUs; ts/device/filterProgram.ts writes the programs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hostAndDevice.h"

namespace seine {

/// As OPERATION in ts/device/filterProgram.ts.
enum class FilterOp : uint32_t { none, bits, code, wide, set, negate, conjoin, disjoin };

struct FilterStep {
  FilterOp op;
  uint32_t operand;  // of a leaf its column, of `bits` which bitset
  uint32_t first;    // interval of a leaf
  uint32_t count;    // of its intervals, at least 1
};

/// Both ends belong to it.
struct FilterInterval {
  uint64_t low, high;
};

/// Two arrays of words: see columnWords in ts/device/columnWords.ts.
struct FilterColumn {
  const uint32_t* first;   // [rows] keys, upper words of keys, or where members end
  const uint32_t* second;  // `wide`: [rows] lower words; `set`: [members] keys
  size_t members;
};

/// Whether one of the intervals, which rise and are disjoint, holds the key.
SEINE_HOST_AND_DEVICE inline bool holds(const FilterInterval* intervals, uint32_t count, uint64_t key) {
  uint32_t low = 0, high = count - 1;  // the first one that does not end below the key, or the last one
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (intervals[middle].high < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return intervals[low].low <= key && key <= intervals[low].high;
}

/// The key of a row that has one.
template <FilterOp kOp>
SEINE_HOST_AND_DEVICE uint64_t keyOf(const FilterColumn& column, size_t row) {
  const uint64_t word = column.first[row];
  return kOp == FilterOp::wide ? word << 32 | column.second[row] : word;
}

/// Whether the intervals hold the key of a row, or of one of its members.
template <FilterOp kOp>
SEINE_HOST_AND_DEVICE bool passesLeaf(const FilterColumn& column, size_t row, const FilterInterval* intervals,
                                      uint32_t count) {
  if constexpr (kOp != FilterOp::set) {
    return holds(intervals, count, keyOf<kOp>(column, row));
  } else {
    const size_t end = column.first[row] < column.members ? column.first[row] : column.members;
    for (size_t member = row == 0 ? 0 : column.first[row - 1]; member < end; member++) {
      if (holds(intervals, count, column.second[member])) return true;
    }
    return false;
  }
}

struct FilterProgram {
  const FilterStep* steps;
  size_t stepCount;
  const FilterInterval* intervals;
  const uint32_t* bits;         // [bitsets, ceil(count / 32)]
  const FilterColumn* columns;  // each of `count` rows
  size_t count;                 // rows
};

/// Runs a well-formed program for the rows of `words` words of the bitset from `firstWord` on. `stack` is
/// [depth, words]; its beginning becomes the result, bits from `count` on 0. Returns how many rows pass.
size_t filterRows(const FilterProgram& program, size_t firstWord, size_t words, uint32_t* stack);

}  // namespace seine
