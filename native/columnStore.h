// Columns in host memory, as the kernels read them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "filterTask.h"

namespace seine {

/// Outlives the rows that JavaScript holds while a filter is under way.
class ColumnStore {
 public:
  /// Words that grow: what is below a snapshot's rows stays where readers found it.
  struct Array {
    std::shared_ptr<uint32_t[]> words;
    size_t size = 0, capacity = 0;
  };

  /// Writes words from place `at` on, which is not behind the array's end, and drops what lies after them.
  /// Never two at a time. Throws Error.
  void write(size_t array, size_t at, const uint32_t* words, size_t count);
  /// All arrays as they are now.
  std::vector<Array> arrays() const;
  size_t bytes() const { return bytes_; }

 private:
  mutable std::mutex mutex_;
  std::vector<Array> arrays_;
  std::atomic<size_t> bytes_{0};
};

}  // namespace seine
