// The part of the CUDA runtime that Seine uses, emulated on the processor. It stands in for the toolkit's
// header of the same name, so that the same sources compile. SEINE_EMULATED_CUDA=no-driver, old-driver,
// no-gpu or old-gpu makes a machine that must be refused; SEINE_EMULATED_BYTES is the device's memory.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <tuple>

#include "runtime.h"

#define __global__
#define __device__
#define __host__
#define __launch_bounds__(...)
#define __shared__ static __attribute__((section("seine_shared")))

struct dim3 {
  unsigned x, y, z;
  dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(8) uint2 {
  uint32_t x, y;
};
struct alignas(16) uint4 {
  uint32_t x, y, z, w;
};
inline uint4 make_uint4(uint32_t x, uint32_t y, uint32_t z, uint32_t w) { return {x, y, z, w}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

template <unsigned (*kRead)()>
struct Coordinate {
  operator unsigned() const { return kRead(); }
};
inline unsigned emulatedThread() { return emulation::Block::current()->thread(); }
inline unsigned emulatedBlockX() { return emulation::Block::current()->index().x; }
inline unsigned emulatedBlockY() { return emulation::Block::current()->index().y; }
inline unsigned emulatedGridX() { return emulation::Block::current()->grid().x; }
inline const struct {
  Coordinate<emulatedThread> x;
} threadIdx;
inline const struct {
  Coordinate<emulatedBlockX> x;
  Coordinate<emulatedBlockY> y;
} blockIdx;
inline const struct {
  Coordinate<emulatedGridX> x;
} gridDim;

inline void __syncthreads() { emulation::Block::current()->barrier(); }
inline void __syncwarp(unsigned mask = 0xffffffffu) {
  emulation::Block::current()->meet(emulation::Operation::sync, mask, 0, 0);
}
inline unsigned __ballot_sync(unsigned mask, int vote) {
  return emulation::Block::current()->meet(emulation::Operation::ballot, mask, vote != 0, 0);
}
template <typename T>
T emulatedShuffle(emulation::Operation operation, unsigned mask, T value, unsigned argument) {
  static_assert(sizeof(T) == 4);
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  bits = emulation::Block::current()->meet(operation, mask, bits, argument);
  std::memcpy(&value, &bits, 4);
  return value;
}
template <typename T>
T __shfl_sync(unsigned mask, T value, unsigned lane) {
  return emulatedShuffle(emulation::Operation::shuffle, mask, value, lane);
}
template <typename T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta) {
  return emulatedShuffle(emulation::Operation::shuffleUp, mask, value, delta);
}
template <typename T>
T __shfl_xor_sync(unsigned mask, T value, unsigned lanes) {
  return emulatedShuffle(emulation::Operation::shuffleXor, mask, value, lanes);
}
// Where accesses are watched, those within it are not: nothing comes between them.
__attribute__((noinline, no_sanitize("thread"))) inline uint32_t atomicAdd(uint32_t* to, uint32_t value) {
  emulation::Block::current()->pause(4);
  const uint32_t before = *to;
  *to = before + value;
  return before;
}
/// The build for this machine has no fused multiply-add that a compiler could make of it.
inline float __fmul_rn(float a, float b) { return a * b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dsub_rn(double a, double b) { return a - b; }
inline double __ddiv_rn(double a, double b) { return a / b; }
inline double __dsqrt_rn(double a) { return std::sqrt(a); }
inline float __double2float_rn(double a) { return static_cast<float>(a); }
inline int __popc(unsigned bits) { return __builtin_popcount(bits); }
inline int __ffs(int bits) { return __builtin_ffs(bits); }
inline uint32_t __float_as_uint(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}
inline float __uint_as_float(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInsufficientDriver = 35,
  cudaErrorNoDevice = 100,
  cudaErrorLaunchFailure = 719,
};
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2, cudaMemcpyDeviceToDevice = 3 };
constexpr unsigned cudaStreamNonBlocking = 1, cudaEventBlockingSync = 1, cudaEventDisableTiming = 2;
constexpr unsigned cudaDeviceScheduleBlockingSync = 4, cudaInitDeviceFlagsAreValid = 1;
using cudaStream_t = emulation::Stream*;
using cudaEvent_t = emulation::Event*;
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
inline cudaError_t emulatedStatus() {
  return machine().failure.empty() ? cudaSuccess : cudaErrorLaunchFailure;
}
inline cudaError_t cudaGetLastError() { return emulatedStatus(); }
inline const char* cudaGetErrorName(cudaError_t status) {
  return status == cudaErrorLaunchFailure ? "cudaErrorLaunchFailure" : "cudaError";
}
inline const char* cudaGetErrorString(cudaError_t status) {
  return status == cudaErrorLaunchFailure ? machine().failure.c_str() : "an emulated error";
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
  *count = 1;
  if (emulates("old-driver")) return cudaErrorInsufficientDriver;
  return emulates("no-gpu") ? cudaErrorNoDevice : cudaSuccess;
}
inline cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {"cuda (emulated)", emulates("old-gpu") ? 7 : 9, emulates("old-gpu") ? 5 : 0,
                 machine().capacity, 1};
  return cudaSuccess;
}
inline cudaError_t cudaInitDevice(int, unsigned, unsigned) { return cudaSuccess; }
inline cudaError_t cudaSetDevice(int) { return cudaSuccess; }
inline cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  *free = machine().capacity - machine().allocated;
  *total = machine().capacity;
  return cudaSuccess;
}
inline cudaError_t cudaMalloc(void** data, size_t bytes) {
  if (emulatedStatus() != cudaSuccess) return emulatedStatus();
  if (bytes > machine().capacity - machine().allocated) return cudaErrorMemoryAllocation;
  const size_t guarded = bytes + emulation::Machine::kGuard;
  auto* const memory = static_cast<char*>(::operator new(guarded, std::align_val_t{256}));
  std::memset(memory, machine().next() % 2 == 0 ? 0xff : 0x7b, guarded);
  machine().device[memory] = bytes;
  machine().allocated += bytes;
  *data = memory;
  return cudaSuccess;
}
inline cudaError_t cudaFree(void* data) {
  const auto found = machine().device.find(static_cast<char*>(data));
  if (found == machine().device.end()) return cudaErrorInvalidValue;
  machine().allocated -= found->second;
  machine().device.erase(found);
  ::operator delete(data, std::align_val_t{256});
  return cudaSuccess;
}
inline cudaError_t cudaMallocHost(void** data, size_t bytes) {
  auto* const memory = static_cast<char*>(::operator new(bytes));
  machine().pinned[memory] = bytes;
  *data = memory;
  return cudaSuccess;
}
inline cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = new emulation::Stream;
  return cudaSuccess;
}
inline cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  machine().finish(*stream);
  return emulatedStatus();
}
inline cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new emulation::Event;
  return cudaSuccess;
}
inline cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  event->stream = stream;
  event->reached = false;
  machine().enqueue(*stream, [event] { event->reached = true; });
  return emulatedStatus();
}
inline cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  while (!event->reached && !event->stream->work.empty()) machine().step(*event->stream);
  return emulatedStatus();
}
inline cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                                   cudaStream_t stream) {
  machine().enqueue(*stream, [=] {
    if (kind == cudaMemcpyDeviceToDevice) return machine().move(to, from, bytes);
    machine().copy(to, from, bytes, kind == cudaMemcpyHostToDevice);
  });
  return emulatedStatus();
}
inline cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream) {
  machine().enqueue(*stream, [=] {
    if (!machine().holds(machine().device, to, bytes)) {
      throw emulation::Failure("memory beyond the device's is set");
    }
    std::memset(to, value, bytes);
  });
  return emulatedStatus();
}
template <typename... Expected, typename... Actual>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Expected...),
                               Actual&&... arguments) {
  const dim3 grid = config->gridDim, block = config->blockDim;
  if (grid.x == 0 || grid.y == 0 || grid.y > 65535 || block.x == 0 || block.x > 1024 || block.y != 1) {
    return cudaErrorInvalidValue;
  }
  std::tuple<Expected...> copies(std::forward<Actual>(arguments)...);
  machine().enqueue(*config->stream, [=] {
    machine().runGrid([&] { std::apply(kernel, copies); }, {grid.x, grid.y, 1}, block.x);
  });
  return emulatedStatus();
}
