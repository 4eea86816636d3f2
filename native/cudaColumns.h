// Columns on the CUDA device, and filters over them.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "cudaLane.h"
#include "filterTask.h"

namespace seine {

/// One lane at a time writes, while others filter by what was there before.
class CudaColumns {
 public:
  /// Writes words from place `at` on, which is not behind the array's end, and drops what lies after them;
  /// they are there for every lane when it returns. Throws Error.
  void write(CudaLane& lane, size_t array, size_t at, const std::vector<uint32_t>& words);
  /// Runs a program, a launch a step; between steps it looks whether it is cancelled. Throws Error.
  void filter(CudaLane& lane, FilterTask& task) const;
  size_t bytes() const { return bytes_; }

 private:
  struct Array {
    std::shared_ptr<const CudaBuffer> words = std::make_shared<CudaBuffer>();
    size_t size = 0;
  };
  using Arrays = std::vector<Array>;

  Arrays arrays() const;

  mutable std::mutex mutex_;
  Arrays arrays_;
  std::atomic<size_t> bytes_{0};
};

}  // namespace seine
