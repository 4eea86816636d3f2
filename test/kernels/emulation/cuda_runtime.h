// The part of the CUDA runtime that Seine uses, emulated on the processor. It stands in for the toolkit's
// header of the same name, so that the same sources compile. SEINE_EMULATED_CUDA=no-driver, old-driver,
// no-gpu or old-gpu makes a machine that must be refused; SEINE_EMULATED_BYTES is the memory of each of
// SEINE_EMULATED_DEVICES; SEINE_EMULATED_FAULT makes a call fail (see runtime.h).
#pragma once

#include <sanitizer/asan_interface.h>

#include <cstdint>
#include <cstring>
#include <tuple>

#include "emulated_kernel.h"
#include "runtime.h"

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInsufficientDriver = 35,
  cudaErrorNoDevice = 100,
  cudaErrorInvalidDevice = 101,
  cudaErrorIllegalState = 401,
  cudaErrorLaunchOutOfResources = 701,
  cudaErrorLaunchFailure = 719,
  cudaErrorStreamCaptureUnsupported = 900,
  cudaErrorStreamCaptureInvalidated = 901,
};
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2, cudaMemcpyDeviceToDevice = 3 };
constexpr unsigned cudaStreamNonBlocking = 1, cudaEventBlockingSync = 1, cudaEventDisableTiming = 2;
constexpr unsigned cudaDeviceScheduleBlockingSync = 4, cudaInitDeviceFlagsAreValid = 1;
using cudaStream_t = emulation::Stream*;
using cudaEvent_t = emulation::Event*;
using cudaGraph_t = emulation::Graph*;
using cudaGraphExec_t = emulation::Graph*;
enum cudaStreamCaptureMode { cudaStreamCaptureModeThreadLocal = 1 };
struct cudaDeviceProp {
  char name[256];
  int major, minor;
  size_t totalGlobalMem;
  int multiProcessorCount;
};
struct cudaLaunchConfig_t {
  dim3 gridDim, blockDim;
  size_t dynamicSmemBytes;
  cudaStream_t stream;
};

inline bool emulates(const char* what) {
  const char* const mode = std::getenv("SEINE_EMULATED_CUDA");
  return mode != nullptr && std::strcmp(mode, what) == 0;
}
inline emulation::Machine& machine() { return emulation::Machine::get(); }
/// A call of the runtime: no other runs meanwhile.
struct EmulatedCall : std::lock_guard<std::recursive_mutex> {
  EmulatedCall() : lock_guard(machine().turn) {}
};
inline int& emulatedOrdinal() {
  static thread_local int ordinal = 0;
  return ordinal;
}
inline emulation::Gpu& emulatedGpu() { return *machine().gpus[static_cast<size_t>(emulatedOrdinal())]; }
inline cudaError_t emulatedStatus(const emulation::Gpu& gpu = emulatedGpu()) {
  return gpu.failure.empty() ? cudaSuccess : cudaErrorLaunchFailure;
}
/// The stream that the thread records, if any.
inline emulation::Stream*& emulatedRecording() {
  static thread_local emulation::Stream* stream = nullptr;
  return stream;
}
/// Breaks what the thread records, by a call that must not be made meanwhile; whether it does.
inline bool emulatedBreak() {
  if (emulatedRecording() == nullptr) return false;
  return emulatedRecording()->broken = true;
}
/// What a call ends with that does its part at once: none may while something is recorded.
inline cudaError_t emulatedFault(emulation::Call call, emulation::Gpu& gpu = emulatedGpu()) {
  if (emulatedBreak()) return cudaErrorStreamCaptureUnsupported;
  if (!gpu.failure.empty() || !machine().meetsFault(call)) return emulatedStatus(gpu);
  if (machine().fault->breaks) {
    gpu.failure = "a fault that was ordered";
    return cudaErrorLaunchFailure;
  }
  const bool allocates = call == emulation::Call::allocation || call == emulation::Call::pinning;
  return allocates ? cudaErrorMemoryAllocation : cudaErrorInvalidValue;
}
/// Enqueues, unless the call fails. What breaks the device breaks it when it runs.
inline cudaError_t emulatedEnqueue(emulation::Call call, emulation::Stream& stream,
                                   std::function<void()> work) {
  if (emulatedStatus(*stream.gpu) != cudaSuccess) return emulatedStatus(*stream.gpu);
  if (machine().meetsFault(call)) {
    if (!machine().fault->breaks) {
      return call == emulation::Call::launch ? cudaErrorLaunchOutOfResources : cudaErrorInvalidValue;
    }
    work = [] { throw emulation::Failure("a fault that was ordered"); };
  }
  machine().enqueue(stream, std::move(work));
  return emulatedStatus(*stream.gpu);
}
inline cudaError_t cudaGetLastError() {
  const EmulatedCall call;
  return emulatedStatus();
}
inline const char* cudaGetErrorName(cudaError_t status) {
  switch (status) {
    case cudaErrorLaunchFailure: return "cudaErrorLaunchFailure";
    case cudaErrorLaunchOutOfResources: return "cudaErrorLaunchOutOfResources";
    case cudaErrorStreamCaptureUnsupported: return "cudaErrorStreamCaptureUnsupported";
    case cudaErrorStreamCaptureInvalidated: return "cudaErrorStreamCaptureInvalidated";
    default: return "cudaErrorInvalidValue";
  }
}
inline const char* cudaGetErrorString(cudaError_t status) {
  return status == cudaErrorLaunchFailure ? emulatedGpu().failure.c_str() : "an emulated error";
}
inline cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = 13000;
  return cudaSuccess;
}
inline cudaError_t cudaDriverGetVersion(int* version) {
  *version = emulates("no-driver") ? 0 : emulates("old-driver") ? 11040 : 13000;
  return cudaSuccess;
}
inline cudaError_t cudaGetDeviceCount(int* count) {
  *count = static_cast<int>(machine().gpus.size());
  if (emulates("old-driver")) return cudaErrorInsufficientDriver;
  return emulates("no-gpu") ? cudaErrorNoDevice : cudaSuccess;
}
inline cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int ordinal) {
  *properties = {"cuda (emulated)", emulates("old-gpu") ? 7 : 9, emulates("old-gpu") ? 5 : 0,
                 machine().gpus[static_cast<size_t>(ordinal)]->capacity, 1};
  return cudaSuccess;
}
inline cudaError_t cudaInitDevice(int, unsigned, unsigned) {
  const EmulatedCall call;
  return emulatedFault(emulation::Call::making);
}
inline cudaError_t cudaSetDevice(int ordinal) {
  const EmulatedCall call;
  if (static_cast<size_t>(ordinal) >= machine().gpus.size()) return cudaErrorInvalidDevice;
  emulatedOrdinal() = ordinal;
  return emulatedFault(emulation::Call::making);
}
inline cudaError_t cudaGetDevice(int* ordinal) {
  *ordinal = emulatedOrdinal();
  return cudaSuccess;
}
inline cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  const EmulatedCall call;
  *free = emulatedGpu().capacity - emulatedGpu().allocated;
  *total = emulatedGpu().capacity;
  return emulatedStatus();
}
inline cudaError_t cudaMalloc(void** data, size_t bytes) {
  const EmulatedCall call;
  emulation::Gpu& gpu = emulatedGpu();
  if (const cudaError_t status = emulatedFault(emulation::Call::allocation)) return status;
  if (bytes > gpu.capacity - gpu.allocated) return cudaErrorMemoryAllocation;
  const size_t guarded = bytes + emulation::Machine::kGuard;
  auto* const memory = static_cast<char*>(::operator new(guarded, std::align_val_t{256}));
  std::memset(memory, machine().next() % 2 == 0 ? 0xff : 0x7b, guarded);
  ASAN_POISON_MEMORY_REGION(memory + bytes, emulation::Machine::kGuard);
  machine().device[memory] = {bytes, &gpu};
  gpu.allocated += bytes;
  *data = memory;
  return cudaSuccess;
}
/// Waits for all streams of the device that the memory is of.
inline cudaError_t cudaFree(void* data) {
  const EmulatedCall call;
  const auto found = machine().device.find(static_cast<char*>(data));
  if (found == machine().device.end()) return cudaErrorInvalidValue;
  if (emulatedBreak()) return cudaErrorStreamCaptureUnsupported;
  emulation::Gpu& gpu = *found->second.gpu;
  for (const auto& stream : machine().streams) {
    if (stream->gpu == &gpu) machine().finish(*stream);
  }
  const size_t bytes = found->second.bytes;
  gpu.allocated -= bytes;
  machine().device.erase(found);
  ASAN_UNPOISON_MEMORY_REGION(static_cast<char*>(data) + bytes, emulation::Machine::kGuard);
  ::operator delete(data, std::align_val_t{256});
  return emulatedStatus(gpu);
}
inline cudaError_t cudaMallocHost(void** data, size_t bytes) {
  const EmulatedCall call;
  if (const cudaError_t status = emulatedFault(emulation::Call::pinning)) return status;
  auto* const memory = static_cast<char*>(::operator new(bytes));
  machine().pinned[memory] = {bytes, nullptr};
  *data = memory;
  return cudaSuccess;
}
inline cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  const EmulatedCall call;
  if (const cudaError_t status = emulatedFault(emulation::Call::making)) return status;
  machine().streams.push_back(std::make_unique<emulation::Stream>(emulation::Stream{&emulatedGpu()}));
  *stream = machine().streams.back().get();
  return cudaSuccess;
}
inline cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const EmulatedCall call;
  if (const cudaError_t status = emulatedFault(emulation::Call::wait, *stream->gpu)) return status;
  machine().finish(*stream);
  return emulatedStatus(*stream->gpu);
}
inline cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  const EmulatedCall call;
  if (const cudaError_t status = emulatedFault(emulation::Call::making)) return status;
  *event = new emulation::Event;
  return cudaSuccess;
}
inline cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const EmulatedCall call;
  if (const cudaError_t status = emulatedFault(emulation::Call::making, *stream->gpu)) return status;
  event->stream = stream;
  event->reached = false;
  machine().enqueue(*stream, [event] { event->reached = true; });
  return emulatedStatus(*stream->gpu);
}
inline cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  const EmulatedCall call;
  if (emulatedBreak()) return cudaErrorStreamCaptureUnsupported;
  if (event->stream == nullptr) return emulatedStatus();
  if (const cudaError_t status = emulatedFault(emulation::Call::wait, *event->stream->gpu)) return status;
  while (!event->reached && !event->stream->work.empty()) machine().step(*event->stream);
  return emulatedStatus(*event->stream->gpu);
}
inline cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                                   cudaStream_t stream) {
  const EmulatedCall call;
  return emulatedEnqueue(emulation::Call::copy, *stream, [=] {
    if (kind == cudaMemcpyDeviceToDevice) return machine().move(to, from, bytes);
    machine().copy(to, from, bytes, kind == cudaMemcpyHostToDevice);
  });
}
inline cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream) {
  const EmulatedCall call;
  return emulatedEnqueue(emulation::Call::copy, *stream, [=] { machine().set(to, value, bytes); });
}
template <typename... Expected, typename... Actual>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Expected...),
                               Actual&&... arguments) {
  const dim3 grid = config->gridDim, block = config->blockDim;
  if (grid.x == 0 || grid.y == 0 || grid.y > 65535 || block.x == 0 || block.x > 1024 || block.y != 1) {
    return cudaErrorInvalidValue;
  }
  const EmulatedCall call;
  std::tuple<Expected...> copies(std::forward<Actual>(arguments)...);
  return emulatedEnqueue(emulation::Call::launch, *config->stream, [=] {
    machine().runGrid([&] { std::apply(kernel, copies); }, {grid.x, grid.y, 1}, block.x);
  });
}
inline cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  const EmulatedCall call;
  if (const cudaError_t status = emulatedFault(emulation::Call::making, *stream->gpu)) return status;
  stream->recording = std::make_unique<emulation::Graph>(emulation::Graph{stream->gpu});
  stream->broken = false;
  emulatedRecording() = stream;
  return cudaSuccess;
}
/// Ends the recording, whatever it returns.
inline cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const EmulatedCall call;
  *graph = nullptr;
  if (stream->recording == nullptr || emulatedRecording() != stream) return cudaErrorIllegalState;
  emulatedRecording() = nullptr;
  const std::unique_ptr<emulation::Graph> recorded = std::move(stream->recording);
  if (stream->broken) return cudaErrorStreamCaptureInvalidated;
  if (const cudaError_t status = emulatedFault(emulation::Call::making, *stream->gpu)) return status;
  *graph = new emulation::Graph(*recorded);
  machine().graphs++;
  return cudaSuccess;
}
inline cudaError_t cudaGraphInstantiate(cudaGraphExec_t* instance, cudaGraph_t graph, unsigned long long) {
  const EmulatedCall call;
  if (const cudaError_t status = emulatedFault(emulation::Call::allocation, *graph->gpu)) return status;
  *instance = new emulation::Graph(*graph);
  machine().graphs++;
  machine().instances++;
  return cudaSuccess;
}
inline cudaError_t cudaGraphLaunch(cudaGraphExec_t instance, cudaStream_t stream) {
  const EmulatedCall call;
  if (const cudaError_t status = emulatedEnqueue(emulation::Call::launch, *stream, [] {})) return status;
  for (const auto& work : instance->work) machine().enqueue(*stream, work);
  machine().starts++;
  return emulatedStatus(*stream->gpu);
}
inline cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  const EmulatedCall call;
  machine().graphs--;
  delete graph;
  return cudaSuccess;
}
inline cudaError_t cudaGraphExecDestroy(cudaGraphExec_t instance) { return cudaGraphDestroy(instance); }
