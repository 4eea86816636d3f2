#pragma once

#include <cstddef>
#include <cstring>
#include <new>

namespace seine {

/// Zeros at first, aligned to cache lines, of a size that is set once.
class AlignedFloats {
 public:
  AlignedFloats() = default;
  explicit AlignedFloats(size_t size)
      : data_(static_cast<float*>(::operator new((size > 0 ? size : 1) * sizeof(float), kLine))) {
    std::memset(data_, 0, size * sizeof(float));
  }
  ~AlignedFloats() { ::operator delete(data_, kLine); }
  AlignedFloats(const AlignedFloats&) = delete;
  AlignedFloats& operator=(AlignedFloats&& other) noexcept {
    float* const data = data_;
    data_ = other.data_;
    other.data_ = data;
    return *this;
  }

  float* data() { return data_; }
  const float* data() const { return data_; }
  float& operator[](size_t i) { return data_[i]; }
  float operator[](size_t i) const { return data_[i]; }

 private:
  static constexpr std::align_val_t kLine{64};
  float* data_ = nullptr;
};

}  // namespace seine
