// Which instruction-set levels this processor has and this operating system lets us use.
#include "scan.h"

#if defined(__x86_64__) || defined(_M_X64)
#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#else
#include <cpuid.h>
#endif

namespace seine {
namespace {

struct Registers {
  unsigned a, b, c, d;
};

Registers cpuid(unsigned leaf) {
  Registers r = {0, 0, 0, 0};
#if defined(_MSC_VER) && !defined(__clang__)
  int values[4];
  __cpuid(values, 0);
  if (static_cast<unsigned>(values[0]) < leaf) return r;
  __cpuidex(values, static_cast<int>(leaf), 0);
  r = {static_cast<unsigned>(values[0]), static_cast<unsigned>(values[1]), static_cast<unsigned>(values[2]),
       static_cast<unsigned>(values[3])};
#else
  __get_cpuid_count(leaf, 0, &r.a, &r.b, &r.c, &r.d);
#endif
  return r;
}

/// Register state that the operating system saves: bits of XCR0.
uint64_t savedState() {
#if defined(_MSC_VER) && !defined(__clang__)
  return _xgetbv(0);
#else
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return static_cast<uint64_t>(high) << 32 | low;
#endif
}

bool all(uint64_t bits, uint64_t wanted) { return (bits & wanted) == wanted; }

const ScanKernel* const* detect() {
  static const ScanKernel* kernels[4] = {};
  size_t count = 0;
  constexpr unsigned kFma = 1u << 12, kXsave = 1u << 27, kAvx = 1u << 28;
  const unsigned features = cpuid(1).c, extended = cpuid(7).b;
  const uint64_t state = all(features, kXsave) ? savedState() : 0;
  const bool avx2 = all(features, kFma | kAvx) && all(extended, 1u << 5) && all(state, 0x06);
  // F, DQ, BW and VL; the state of masks and of the upper halves and upper registers.
  constexpr unsigned kAvx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;
  if (avx2 && all(extended, kAvx512) && all(state, 0xe6)) kernels[count++] = &scanAvx512;
  if (avx2) kernels[count++] = &scanAvx2;
  kernels[count] = &scanScalar;
  return kernels;
}

}  // namespace
#elif defined(__aarch64__) || defined(_M_ARM64)
namespace seine {
namespace {

const ScanKernel* const* detect() {
  static const ScanKernel* const kernels[] = {&scanNeon, &scanScalar, nullptr};  // every ARMv8 has NEON
  return kernels;
}

}  // namespace
#else
namespace seine {
namespace {

const ScanKernel* const* detect() {
  static const ScanKernel* const kernels[] = {&scanScalar, nullptr};
  return kernels;
}

}  // namespace
#endif

const ScanKernel* const* supportedKernels() {
  static const ScanKernel* const* const kernels = detect();
  return kernels;
}

}  // namespace seine
