#include "cudaLane.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <new>
#include <string>
#include <utility>

#include "cudaDevice.h"
#include "detachedThread.h"

namespace seine {

struct CudaLane::Queue {
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<std::function<void()>> work;
  size_t waiting = 0;
};

CudaLane::CudaLane(CudaDevice& device) : device_(device), queue_(new Queue) {
  startDetachedThread([this] { work(); });
}

void CudaLane::post(std::function<void()> work) {
  {
    std::lock_guard lock(queue_->mutex);
    queue_->work.push_back(std::move(work));
    queue_->waiting++;
  }
  queue_->wake.notify_one();
}

size_t CudaLane::waiting() const {
  std::lock_guard lock(queue_->mutex);
  return queue_->waiting;
}

void CudaLane::work() {
  for (;;) {
    std::function<void()> next;
    {
      std::unique_lock lock(queue_->mutex);
      queue_->wake.wait(lock, [this] { return !queue_->work.empty(); });
      next = std::move(queue_->work.front());
      queue_->work.pop_front();
    }
    next();
    next = nullptr;
    std::lock_guard lock(queue_->mutex);
    queue_->waiting--;
  }
}

std::optional<Error> CudaLane::run(const char* what, const std::function<void()>& op) {
  std::optional<Error> failure;
  device_.besideOthers([&] { failure = attempt(what, op); });
  if (failure && failure->is("ERR_OUT_OF_MEMORY")) {
    device_.alone([&] { failure = attempt(what, op); });
  }
  return failure;
}

std::optional<Error> CudaLane::attempt(const char* what, const std::function<void()>& op) {
  std::optional<Error> failure = device_.lost();
  if (failure) return failure;
  try {
    start();
    op();
    return std::nullopt;
  } catch (const Error& error) {
    failure = error;
  } catch (const std::bad_alloc&) {
    failure = Error("ERR_OUT_OF_MEMORY", std::string("Memory ran out on the host during ") + what + ".");
  } catch (const std::exception& error) {
    failure = Error("ERR_INTERNAL", std::string("What failed is ") + what + ": " + error.what());
  }
  if (failure->is("ERR_DEVICE_LOST")) return device_.lose(*failure);
  // Copies of the op may still read the staging memory and write the scratch.
  if (stream_ != nullptr) cudaStreamSynchronize(stream_);
  return failure;
}

void CudaLane::start() {
  if (staging_ != nullptr) return;
  if (stream_ == nullptr) {
    // The thread sleeps while the device works.
    checkCuda(cudaInitDevice(device_.ordinal(), cudaDeviceScheduleBlockingSync, cudaInitDeviceFlagsAreValid),
              "its start");
    checkCuda(cudaSetDevice(device_.ordinal()), "its start");
    checkCuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream");
  }
  for (cudaEvent_t& event : copied_) {
    if (event == nullptr) {
      checkCuda(cudaEventCreateWithFlags(&event, cudaEventBlockingSync | cudaEventDisableTiming),
                "making an event");
    }
  }
  void* staging = nullptr;
  const cudaError_t status = cudaMallocHost(&staging, 2 * kStagedBytes);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    throw outOfMemory("Pinned memory for copies to the CUDA device", 2 * kStagedBytes);
  }
  checkCuda(status, "allocating pinned memory");
  staging_ = static_cast<char*>(staging);
}

unsigned CudaLane::blocks() const { return device_.blocks(); }

void CudaLane::upload(void* to, const void* from, size_t bytes) {
  for (size_t done = 0; done < bytes;) {
    const size_t part = std::min(kStagedBytes, bytes - done);
    char* const staged = staging_ + part_ * kStagedBytes;
    checkCuda(cudaEventSynchronize(copied_[part_]), "waiting for a copy");
    std::memcpy(staged, static_cast<const char*>(from) + done, part);
    checkCuda(cudaMemcpyAsync(static_cast<char*>(to) + done, staged, part, cudaMemcpyHostToDevice, stream_),
              "copying to the device");
    checkCuda(cudaEventRecord(copied_[part_], stream_), "copying to the device");
    part_ ^= 1;
    done += part;
  }
}

void CudaLane::download(void* to, const void* from, size_t bytes) {
  // All earlier uploads are done when the first part arrives, so the staging memory is free.
  synchronize();
  for (size_t done = 0; done < bytes;) {
    const size_t part = std::min(2 * kStagedBytes, bytes - done);
    checkCuda(cudaMemcpyAsync(staging_, static_cast<const char*>(from) + done, part, cudaMemcpyDeviceToHost,
                              stream_),
              "copying from the device");
    synchronize();
    std::memcpy(static_cast<char*>(to) + done, staging_, part);
    done += part;
  }
}

char* CudaLane::staged() {
  for (const cudaEvent_t event : copied_) checkCuda(cudaEventSynchronize(event), "waiting for a copy");
  return staging_;
}

void CudaLane::copyUp(void* to, size_t bytes) {
  checkCuda(cudaMemcpyAsync(to, staging_, bytes, cudaMemcpyHostToDevice, stream_), "copying to the device");
}

void CudaLane::copyDown(const void* from, size_t bytes) {
  checkCuda(cudaMemcpyAsync(staging_ + kStagedBytes, from, bytes, cudaMemcpyDeviceToHost, stream_),
            "copying from the device");
}

const char* CudaLane::copied() const { return staging_ + kStagedBytes; }

void CudaLane::synchronize() { checkCuda(cudaStreamSynchronize(stream_), "running kernels"); }

}  // namespace seine
