#pragma once

#include <cstddef>
#include <cstdint>

namespace seine {

/// Memory of the calling thread's CUDA device.
class CudaBuffer {
 public:
  CudaBuffer() = default;
  /// Throws Error with the bytes wanted and free; `what` begins its message.
  CudaBuffer(size_t bytes, const char* what);
  /// Waits for what the device does: nothing reads or writes the memory any more.
  ~CudaBuffer();
  CudaBuffer(CudaBuffer&& other) noexcept;
  CudaBuffer& operator=(CudaBuffer&& other) noexcept;

  template <typename T>
  T* as() const {
    return static_cast<T*>(data_);
  }
  size_t bytes() const { return bytes_; }

  /// How many of the process were freed so far: while it stays the same every address is what it was.
  static uint64_t freed();

 private:
  void* data_ = nullptr;
  size_t bytes_ = 0;
};

/// Makes the working memory of an op at least `bytes` large; its content is lost. Throws Error.
void growBuffer(CudaBuffer& buffer, size_t bytes);

}  // namespace seine
