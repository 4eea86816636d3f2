// Several arrays in one piece of memory, so that one copy moves them.
#pragma once

#include <cstddef>

namespace seine {

/// Hands out places one after the other, in bytes from the beginning.
class Packing {
 public:
  size_t take(size_t bytes) {
    const size_t from = bytes_;
    bytes_ += (bytes + kAlign - 1) / kAlign * kAlign;
    return from;
  }
  size_t bytes() const { return bytes_; }

 private:
  /// As kernels read queries.
  static constexpr size_t kAlign = 16;
  size_t bytes_ = 0;
};

}  // namespace seine
