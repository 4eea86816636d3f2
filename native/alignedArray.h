#pragma once

#include <cstddef>
#include <cstring>
#include <new>

namespace seine {

/// Numbers, zeros at first, aligned to cache lines, of a size that is set once.
template <typename T>
class AlignedArray {
 public:
  AlignedArray() = default;
  explicit AlignedArray(size_t size)
      : data_(static_cast<T*>(::operator new((size > 0 ? size : 1) * sizeof(T), kLine))) {
    std::memset(data_, 0, size * sizeof(T));
  }
  ~AlignedArray() { ::operator delete(data_, kLine); }
  AlignedArray(const AlignedArray&) = delete;
  AlignedArray& operator=(AlignedArray&& other) noexcept {
    T* const data = data_;
    data_ = other.data_;
    other.data_ = data;
    return *this;
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }

 private:
  static constexpr std::align_val_t kLine{64};
  T* data_ = nullptr;
};

using AlignedFloats = AlignedArray<float>;

}  // namespace seine
