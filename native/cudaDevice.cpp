#include "cudaDevice.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "detachedThread.h"

namespace seine {
namespace {

constexpr size_t kPartBytes = 4 << 20;
constexpr int kLeastMajor = 8;  // compute capability

std::string version(int number) {
  return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
}

std::string capability(const cudaDeviceProp& properties) {
  return std::to_string(properties.major) + "." + std::to_string(properties.minor);
}

Error unavailable(const std::string& why) { return Error("ERR_DEVICE_UNAVAILABLE", why); }

/// Number of devices, if a driver is there that can run this build.
int countDevices() {
  int driver = 0, runtime = 0, count = 0;
  cudaRuntimeGetVersion(&runtime);
  if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0) {
    cudaGetLastError();
    throw unavailable("no NVIDIA driver was found: install one for CUDA " + version(runtime) + " or newer");
  }
  const cudaError_t status = cudaGetDeviceCount(&count);
  cudaGetLastError();
  if (status == cudaErrorInsufficientDriver) {
    throw unavailable("the NVIDIA driver is too old: it runs CUDA " + version(driver) +
                      ", this build needs CUDA " + version(runtime) + ": update the driver");
  }
  if (status == cudaErrorNoDevice || (status == cudaSuccess && count == 0)) {
    throw unavailable(
        "the NVIDIA driver shows no GPU: if there is one, check CUDA_VISIBLE_DEVICES and the permissions of "
        "/dev/nvidia*");
  }
  if (status != cudaSuccess) {
    throw unavailable(std::string("the NVIDIA driver failed: ") + cudaGetErrorString(status) +
                      ": check what nvidia-smi says");
  }
  return count;
}

}  // namespace

void checkCuda(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // what is not permanent is forgotten
  throw Error("ERR_DEVICE", std::string("The CUDA device failed at ") + what + ": " +
                                cudaGetErrorString(status) + " (" + cudaGetErrorName(status) +
                                "). If it fails again, restart the process.");
}

struct CudaDevice::Queue {
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<std::function<void()>> work;
};

CudaDevice& CudaDevice::get() {
  // Never destroyed: its thread outlives static destructors. A failure is tried again at the next call.
  static CudaDevice* const instance = new CudaDevice;
  return *instance;
}

CudaDevice::CudaDevice() {
  const int count = countDevices();
  cudaDeviceProp properties = {};
  std::string seen;
  for (ordinal_ = 0; ordinal_ < count; ordinal_++) {
    checkCuda(cudaGetDeviceProperties(&properties, ordinal_), "reading a device's properties");
    if (properties.major >= kLeastMajor) break;
    seen += std::string(seen.empty() ? "" : ", ") + properties.name + " (" + capability(properties) + ")";
  }
  if (ordinal_ == count) {
    throw unavailable("the GPU is too old: compute capability 8.0 or newer is needed, found " + seen);
  }
  description_ = std::string(properties.name) + ", compute capability " + capability(properties) + ", " +
                 std::to_string(properties.totalGlobalMem >> 20) + " MiB";
  blocks_ = static_cast<unsigned>(properties.multiProcessorCount) * 8;
  queue_ = new Queue;
  startDetachedThread([this] { work(); });
}

void CudaDevice::post(std::function<void()> work) {
  {
    std::lock_guard lock(queue_->mutex);
    queue_->work.push_back(std::move(work));
  }
  queue_->wake.notify_one();
}

void CudaDevice::work() {
  for (;;) {
    std::function<void()> next;
    {
      std::unique_lock lock(queue_->mutex);
      queue_->wake.wait(lock, [this] { return !queue_->work.empty(); });
      next = std::move(queue_->work.front());
      queue_->work.pop_front();
    }
    next();
  }
}

void CudaDevice::start() {
  if (staging_ != nullptr) return;
  if (stream_ == nullptr) {
    // The thread sleeps while the device works.
    checkCuda(cudaInitDevice(ordinal_, cudaDeviceScheduleBlockingSync, cudaInitDeviceFlagsAreValid),
              "its start");
    checkCuda(cudaSetDevice(ordinal_), "its start");
    checkCuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream");
  }
  for (cudaEvent_t& event : copied_) {
    if (event == nullptr) {
      checkCuda(cudaEventCreateWithFlags(&event, cudaEventBlockingSync | cudaEventDisableTiming),
                "making an event");
    }
  }
  void* staging = nullptr;
  if (cudaMallocHost(&staging, 2 * kPartBytes) != cudaSuccess) {
    cudaGetLastError();
    throw outOfMemory("Pinned memory for copies to the CUDA device", 2 * kPartBytes);
  }
  staging_ = static_cast<char*>(staging);
}

void CudaDevice::upload(void* to, const void* from, size_t bytes) {
  for (size_t done = 0; done < bytes;) {
    const size_t part = std::min(kPartBytes, bytes - done);
    char* const staged = staging_ + part_ * kPartBytes;
    checkCuda(cudaEventSynchronize(copied_[part_]), "waiting for a copy");
    std::memcpy(staged, static_cast<const char*>(from) + done, part);
    checkCuda(cudaMemcpyAsync(static_cast<char*>(to) + done, staged, part, cudaMemcpyHostToDevice, stream_),
              "copying to the device");
    checkCuda(cudaEventRecord(copied_[part_], stream_), "copying to the device");
    part_ ^= 1;
    done += part;
  }
}

void CudaDevice::download(void* to, const void* from, size_t bytes) {
  // All earlier uploads are done when the first part arrives, so the staging memory is free.
  synchronize();
  for (size_t done = 0; done < bytes;) {
    const size_t part = std::min(2 * kPartBytes, bytes - done);
    checkCuda(cudaMemcpyAsync(staging_, static_cast<const char*>(from) + done, part, cudaMemcpyDeviceToHost,
                              stream_),
              "copying from the device");
    synchronize();
    std::memcpy(static_cast<char*>(to) + done, staging_, part);
    done += part;
  }
}

void CudaDevice::synchronize() { checkCuda(cudaStreamSynchronize(stream_), "running kernels"); }

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
  if (data_ != nullptr) cudaFree(data_);
}

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
