// Columns on the CUDA device, and filters over them.
#pragma once

#include <atomic>
#include <vector>

#include "cudaDevice.h"
#include "filterTask.h"

namespace seine {

/// Used and destroyed on the device's thread, but for `bytes`.
class CudaColumns {
 public:
  explicit CudaColumns(CudaDevice& device) : device_(device) {}

  /// Writes words from place `at` on, which is not behind the array's end, and drops what lies after them.
  /// Throws Error.
  void write(size_t array, size_t at, const std::vector<uint32_t>& words);
  /// Runs a program, a launch a step; between steps it looks whether it is cancelled. Throws Error.
  void filter(FilterTask& task);
  size_t bytes() const { return bytes_; }

 private:
  struct Array {
    CudaBuffer words;
    size_t size = 0;
  };

  void runStep(const FilterTask& task, const FilterStep& step, uint32_t* top);
  size_t sizeOf(size_t array) const { return array < arrays_.size() ? arrays_[array].size : 0; }
  const uint32_t* wordsOf(size_t array) const {
    return array < arrays_.size() ? arrays_[array].words.as<uint32_t>() : nullptr;
  }

  CudaDevice& device_;
  std::vector<Array> arrays_;
  CudaBuffer stack_, intervals_, total_;
  std::atomic<size_t> bytes_{0};
};

}  // namespace seine
