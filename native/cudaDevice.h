// The CUDA device of the process: which one, its thread, and memory with errors that say what is missing.
// Every call of the CUDA runtime is made on that thread, so nothing waits on the event loop or on the pool.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <functional>
#include <string>

#include "error.h"

namespace seine {

/// Throws Error if a call of the CUDA runtime failed while `what` was done.
void checkCuda(cudaError_t status, const char* what);

class CudaDevice {
 public:
  /// The first device that can be used, with its thread; throws Error with why there is none. Call on any
  /// thread.
  static CudaDevice& get();

  /// Runs `work`, which must not throw, after all work posted before.
  void post(std::function<void()> work);

  // What follows is for work on the device's thread.

  /// Makes the context, the stream and the staging memory once; throws Error.
  void start();
  cudaStream_t stream() const { return stream_; }
  /// The largest grid that is useful.
  unsigned blocks() const { return blocks_; }
  /// Copies to the device, in order with the stream's work; `from` may be reused at once.
  void upload(void* to, const void* from, size_t bytes);
  /// Copies to the host and waits for it.
  void download(void* to, const void* from, size_t bytes);
  void synchronize();

  /// For people.
  const std::string& description() const { return description_; }

 private:
  CudaDevice();
  [[noreturn]] void work();

  struct Queue;
  Queue* queue_ = nullptr;
  int ordinal_ = 0;
  std::string description_;
  unsigned blocks_ = 0;
  cudaStream_t stream_ = nullptr;
  /// Pinned, in parts that take turns.
  char* staging_ = nullptr;
  cudaEvent_t copied_[2] = {};
  unsigned part_ = 0;
};

/// Memory of the device, made and freed on its thread.
class CudaBuffer {
 public:
  CudaBuffer() = default;
  /// Throws Error with the bytes wanted and free; `what` begins its message.
  CudaBuffer(size_t bytes, const char* what);
  ~CudaBuffer();
  CudaBuffer(CudaBuffer&& other) noexcept;
  CudaBuffer& operator=(CudaBuffer&& other) noexcept;

  template <typename T>
  T* as() const {
    return static_cast<T*>(data_);
  }
  size_t bytes() const { return bytes_; }

 private:
  void* data_ = nullptr;
  size_t bytes_ = 0;
};

/// Makes the working memory of an op at least `bytes` large; its content is lost. Throws Error.
void growBuffer(CudaBuffer& buffer, size_t bytes);

}  // namespace seine
