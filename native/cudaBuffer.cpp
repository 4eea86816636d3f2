#include "cudaBuffer.h"

#include <cuda_runtime.h>

#include <atomic>
#include <string>
#include <utility>

#include "cudaError.h"
#include "error.h"

namespace seine {
namespace {

std::atomic<uint64_t> freedBuffers{0};

}  // namespace

CudaBuffer::CudaBuffer(size_t bytes, const char* what) : bytes_(bytes) {
  const cudaError_t status = cudaMalloc(&data_, bytes);
  if (status == cudaErrorMemoryAllocation) {
    size_t free = 0, total = 0;
    cudaGetLastError();
    cudaMemGetInfo(&free, &total);
    throw Error("ERR_OUT_OF_MEMORY",
                std::string(what) + " could not be allocated on the CUDA device: " + std::to_string(bytes) +
                    " bytes wanted, " + std::to_string(free) + " of " + std::to_string(total) + " free.");
  }
  checkCuda(status, "allocating memory");
}

CudaBuffer::~CudaBuffer() {
  if (data_ == nullptr) return;
  cudaFree(data_);
  freedBuffers++;
}

uint64_t CudaBuffer::freed() { return freedBuffers; }

CudaBuffer::CudaBuffer(CudaBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

CudaBuffer& CudaBuffer::operator=(CudaBuffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

void growBuffer(CudaBuffer& buffer, size_t bytes) {
  if (buffer.bytes() >= bytes) return;
  buffer = CudaBuffer();  // freed first
  buffer = CudaBuffer(bytes, "The working memory of a search");
}

}  // namespace seine
