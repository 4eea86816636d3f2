#include "filter.h"

#include <bit>
#include <cstring>

namespace seine {
namespace {

/// Bits of `rows` rows from `row` on, 32 at most.
template <typename Passes>
uint32_t wordOf(size_t row, size_t rows, const Passes& passes) {
  uint32_t word = 0;
  for (size_t i = 0; i < rows; i++) word |= uint32_t{passes(row + i)} << i;
  return word;
}

template <typename Passes>
void fill(size_t count, size_t firstWord, size_t words, uint32_t* to, const Passes& passes) {
  for (size_t word = 0; word < words; word++) {
    const size_t row = (firstWord + word) * 32;
    const size_t left = count - row;
    // The whole word by itself, so that its loop has a fixed length.
    to[word] = left >= 32 ? wordOf(row, 32, passes) : wordOf(row, left, passes);
  }
}

template <FilterOp kOp>
void pushLeaf(const FilterProgram& program, const FilterStep& step, size_t firstWord, size_t words,
              uint32_t* to) {
  const FilterColumn column = program.columns[step.operand];
  const FilterInterval* const intervals = program.intervals + step.first;
  if constexpr (kOp != FilterOp::set) {
    if (step.count == 1) {
      // What most comparisons are, without a branch.
      const uint64_t low = intervals->low, width = intervals->high - low;
      return fill(program.count, firstWord, words, to,
                  [=](size_t row) { return keyOf<kOp>(column, row) - low <= width; });
    }
  }
  fill(program.count, firstWord, words, to,
       [=, &step](size_t row) { return passesLeaf<kOp>(column, row, intervals, step.count); });
}

}  // namespace

size_t filterRows(const FilterProgram& program, size_t firstWord, size_t words, uint32_t* stack) {
  const size_t bitset = (program.count + 31) / 32;
  uint32_t* top = stack;  // behind the last bitset
  for (size_t i = 0; i < program.stepCount; i++) {
    const FilterStep& step = program.steps[i];
    switch (step.op) {
      case FilterOp::none:
        std::memset(top, 0, words * sizeof(uint32_t));
        top += words;
        break;
      case FilterOp::bits:
        std::memcpy(top, program.bits + step.operand * bitset + firstWord, words * sizeof(uint32_t));
        top += words;
        break;
      case FilterOp::code:
        pushLeaf<FilterOp::code>(program, step, firstWord, words, top);
        top += words;
        break;
      case FilterOp::wide:
        pushLeaf<FilterOp::wide>(program, step, firstWord, words, top);
        top += words;
        break;
      case FilterOp::set:
        pushLeaf<FilterOp::set>(program, step, firstWord, words, top);
        top += words;
        break;
      case FilterOp::negate:
        for (uint32_t* word = top - words; word < top; word++) *word = ~*word;
        break;
      case FilterOp::conjoin:
        top -= words;
        for (size_t word = 0; word < words; word++) (top - words)[word] &= top[word];
        break;
      case FilterOp::disjoin:
        top -= words;
        for (size_t word = 0; word < words; word++) (top - words)[word] |= top[word];
        break;
    }
  }
  const size_t over = program.count % 32;
  if (firstWord + words == bitset && over != 0) stack[words - 1] &= (1u << over) - 1;
  size_t passing = 0;
  for (size_t word = 0; word < words; word++) passing += static_cast<size_t>(std::popcount(stack[word]));
  return passing;
}

}  // namespace seine
