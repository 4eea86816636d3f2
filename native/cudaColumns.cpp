#include "cudaColumns.h"

#include <algorithm>
#include <utility>

#include "../kernels/filter.cuh"

namespace seine {
namespace {

constexpr size_t kLeast = 256;  // words of an array

/// Fills the bitset at `top`, or changes it; a join takes the one behind it in.
void runStep(CudaLane& lane, const FilterTask& task, const FilterStep& step,
             const std::vector<FilterColumn>& columns, uint32_t* top) {
  const size_t words = task.words(), bytes = words * sizeof(uint32_t);
  switch (step.op) {
    case FilterOp::none:
      return checkCuda(cudaMemsetAsync(top, 0, bytes, lane.stream()), "clearing memory");
    case FilterOp::bits:
      return lane.upload(top, &task.bits[step.operand * words], bytes);
    case FilterOp::code:
    case FilterOp::wide:
    case FilterOp::set: {
      const cuda::FilterLeaf leaf = {columns[step.operand],
                                     lane.scratch.intervals.as<FilterInterval>() + step.first, step.count,
                                     task.count};
      return checkCuda(cuda::launchLeaf(step.op, leaf, top, lane.blocks(), lane.stream()),
                       "starting a kernel");
    }
    default:
      return checkCuda(cuda::launchJoin(step.op, top + words, top, words, lane.blocks(), lane.stream()),
                       "starting a kernel");
  }
}

}  // namespace

void CudaColumns::write(CudaLane& lane, size_t array, size_t at, const std::vector<uint32_t>& words) {
  const Arrays before = arrays();
  Array own = array < before.size() ? before[array] : Array();
  if (at > own.size) throw Error("ERR_INTERNAL", "Words of a column are written behind its end.");
  const size_t held = own.words->bytes(), wanted = (at + words.size()) * sizeof(uint32_t);
  if (wanted > held) {
    const size_t capacity = std::max({kLeast * sizeof(uint32_t), 2 * held, wanted});
    auto bigger = std::make_shared<CudaBuffer>(capacity, "Memory for a column");
    if (at > 0) {
      checkCuda(cudaMemcpyAsync(bigger->as<void>(), own.words->as<void>(), at * sizeof(uint32_t),
                                cudaMemcpyDeviceToDevice, lane.stream()),
                "moving a column");
    }
    own.words = std::move(bigger);
  }
  lane.upload(own.words->as<uint32_t>() + at, words.data(), words.size() * sizeof(uint32_t));
  lane.synchronize();
  own.size = at + words.size();
  bytes_ += own.words->bytes() - held;
  std::lock_guard lock(mutex_);
  if (array >= arrays_.size()) arrays_.resize(array + 1);
  arrays_[array] = std::move(own);
}

CudaColumns::Arrays CudaColumns::arrays() const {
  std::lock_guard lock(mutex_);
  return arrays_;
}

void CudaColumns::filter(CudaLane& lane, FilterTask& task) const {
  const Arrays own = arrays();
  const auto at = [&](size_t array) { return array < own.size() ? own[array] : Array(); };
  task.checkColumns([&](size_t array) { return at(array).size; });
  std::vector<FilterColumn> columns;
  for (size_t array = 0; array < own.size(); array += 2) {
    const Array values = at(array), members = at(array + 1);
    columns.push_back({values.words->as<uint32_t>(), members.words->as<uint32_t>(), members.size});
  }
  const size_t words = task.words(), intervals = task.intervals.size() * sizeof(FilterInterval);
  CudaScratch& scratch = lane.scratch;
  growBuffer(scratch.stack, task.depth * words * sizeof(uint32_t));
  growBuffer(scratch.intervals, std::max(intervals, sizeof(FilterInterval)));
  growBuffer(scratch.total, sizeof(uint32_t));
  lane.upload(scratch.intervals.as<void>(), task.intervals.data(), intervals);
  checkCuda(cudaMemsetAsync(scratch.total.as<void>(), 0, sizeof(uint32_t), lane.stream()), "clearing memory");
  auto* const stack = scratch.stack.as<uint32_t>();
  size_t held = 0;
  for (const FilterStep& step : task.steps) {
    if (task.cancelled) return;
    if (step.op == FilterOp::conjoin || step.op == FilterOp::disjoin) held--;
    const bool pushes = step.op < FilterOp::negate;
    runStep(lane, task, step, columns, stack + (pushes ? held : held - 1) * words);
    if (pushes) held++;
  }
  checkCuda(
      cuda::launchBitCount(stack, task.count, scratch.total.as<uint32_t>(), lane.blocks(), lane.stream()),
      "starting a kernel");
  uint32_t passing = 0;
  lane.download(&passing, scratch.total.as<void>(), sizeof passing);
  task.passing = passing;
  task.mask.resize(words);
  if (passing > 0) lane.download(task.mask.data(), stack, words * sizeof(uint32_t));
}

}  // namespace seine
