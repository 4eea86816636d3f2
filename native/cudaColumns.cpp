#include "cudaColumns.h"

#include <algorithm>
#include <utility>

#include "../kernels/filter.cuh"

namespace seine {
namespace {

constexpr size_t kLeast = 256;  // words of an array

}  // namespace

void CudaColumns::write(size_t array, size_t at, const std::vector<uint32_t>& words) {
  if (at > sizeOf(array)) throw Error("ERR_INTERNAL", "Words of a column are written behind its end.");
  device_.start();
  if (array >= arrays_.size()) arrays_.resize(array + 1);
  Array& own = arrays_[array];
  const size_t wanted = (at + words.size()) * sizeof(uint32_t);
  if (wanted > own.words.bytes()) {
    CudaBuffer bigger(std::max({kLeast * sizeof(uint32_t), 2 * own.words.bytes(), wanted}),
                      "Memory for a column");
    bytes_ += bigger.bytes() - own.words.bytes();
    if (at > 0) {
      checkCuda(cudaMemcpyAsync(bigger.as<void>(), own.words.as<void>(), at * sizeof(uint32_t),
                                cudaMemcpyDeviceToDevice, device_.stream()),
                "moving a column");
      device_.synchronize();
    }
    own.words = std::move(bigger);
  }
  device_.upload(own.words.as<uint32_t>() + at, words.data(), words.size() * sizeof(uint32_t));
  device_.synchronize();
  own.size = at + words.size();
}

void CudaColumns::filter(FilterTask& task) {
  task.checkColumns([this](size_t array) { return sizeOf(array); });
  device_.start();
  const size_t words = task.words(), intervals = task.intervals.size() * sizeof(FilterInterval);
  growBuffer(stack_, task.depth * words * sizeof(uint32_t));
  growBuffer(intervals_, std::max(intervals, sizeof(FilterInterval)));
  growBuffer(total_, sizeof(uint32_t));
  device_.upload(intervals_.as<void>(), task.intervals.data(), intervals);
  checkCuda(cudaMemsetAsync(total_.as<void>(), 0, sizeof(uint32_t), device_.stream()), "clearing memory");
  auto* const stack = stack_.as<uint32_t>();
  size_t held = 0;
  for (const FilterStep& step : task.steps) {
    if (task.cancelled) return;
    if (step.op == FilterOp::conjoin || step.op == FilterOp::disjoin) held--;
    const bool pushes = step.op < FilterOp::negate;
    runStep(task, step, stack + (pushes ? held : held - 1) * words);
    if (pushes) held++;
  }
  checkCuda(
      cuda::launchBitCount(stack, task.count, total_.as<uint32_t>(), device_.blocks(), device_.stream()),
      "starting a kernel");
  uint32_t passing = 0;
  device_.download(&passing, total_.as<void>(), sizeof passing);
  task.passing = passing;
  task.mask.resize(words);
  if (passing > 0) device_.download(task.mask.data(), stack, words * sizeof(uint32_t));
}

/// Fills the bitset at `top`, or changes it; a join takes the one behind it in.
void CudaColumns::runStep(const FilterTask& task, const FilterStep& step, uint32_t* top) {
  const size_t words = task.words(), bytes = words * sizeof(uint32_t);
  switch (step.op) {
    case FilterOp::none:
      return checkCuda(cudaMemsetAsync(top, 0, bytes, device_.stream()), "clearing memory");
    case FilterOp::bits:
      return device_.upload(top, &task.bits[step.operand * words], bytes);
    case FilterOp::code:
    case FilterOp::wide:
    case FilterOp::set: {
      const size_t array = size_t{step.operand} * 2;
      const FilterColumn column = {wordsOf(array), wordsOf(array + 1), sizeOf(array + 1)};
      const cuda::FilterLeaf leaf = {column, intervals_.as<FilterInterval>() + step.first, step.count,
                                     task.count};
      return checkCuda(cuda::launchLeaf(step.op, leaf, top, device_.blocks(), device_.stream()),
                       "starting a kernel");
    }
    default:
      return checkCuda(cuda::launchJoin(step.op, top + words, top, words, device_.blocks(), device_.stream()),
                       "starting a kernel");
  }
}

}  // namespace seine
