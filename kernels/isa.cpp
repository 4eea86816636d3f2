// Which instruction-set levels this processor has and this operating system lets us use.
#include "isa.h"

#if defined(__x86_64__) || defined(_M_X64)
#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#if defined(SEINE_AMX)
#include <sys/syscall.h>
#include <unistd.h>
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

#if defined(SEINE_AMX)
/// Asks the operating system, once for the process, to save the tiles: it need not, nor be new enough to
/// know.
bool mayUseTiles() {
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}
#endif

const Isa* detect() {
  static Isa isas[6] = {};
  size_t count = 0;
  constexpr unsigned kFma = 1u << 12, kXsave = 1u << 27, kAvx = 1u << 28, kF16c = 1u << 29;
  const unsigned features = cpuid(1).c;
  const Registers extended = cpuid(7);
  const uint64_t state = all(features, kXsave) ? savedState() : 0;
  const bool avx2 = all(features, kFma | kAvx | kF16c) && all(extended.b, 1u << 5) && all(state, 0x06);
  // F, DQ, BW and VL; the state of masks and of the upper halves and upper registers.
  constexpr unsigned kAvx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;
  const bool avx512 = avx2 && all(extended.b, kAvx512) && all(state, 0xe6);
  const bool vnni = avx512 && all(extended.c, 1u << 11);
#if defined(SEINE_AMX)
  // Tiles and their products of 8-bit numbers; the state of their configuration and data.
  constexpr unsigned kAmx = 1u << 24 | 1u << 25;
  if (vnni && all(extended.d, kAmx) && all(state, 0x60000) && mayUseTiles()) {
    isas[count++] = {"amx", &scanAvx512, &certifyAmx, &quantizeAvx512, &adamWAvx512, &encodeAvx2};
  }
#endif
  if (vnni)
    isas[count++] = {"avx512vnni", &scanAvx512, &certifyVnni, &quantizeAvx512, &adamWAvx512, &encodeAvx2};
  if (avx512)
    isas[count++] = {"avx512", &scanAvx512, &certifyAvx512, &quantizeAvx512, &adamWAvx512, &encodeAvx2};
  if (avx2) isas[count++] = {"avx2", &scanAvx2, &certifyAvx2, &quantizeAvx2, &adamWAvx2, &encodeAvx2};
  isas[count] = {"scalar", &scanScalar, &certifyScalar, &quantizeScalar, &adamWScalar, &encodeScalar};
  return isas;
}

}  // namespace
#elif defined(__aarch64__) || defined(_M_ARM64)
#if defined(SEINE_DOTPROD) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace seine {
namespace {

#if defined(SEINE_DOTPROD)
bool hasDotProducts() {
#if defined(__APPLE__)
  return true;  // every one of Apple's
#elif defined(__linux__)
  constexpr unsigned long kDotProducts = 1ul << 20;  // HWCAP_ASIMDDP
  return (getauxval(AT_HWCAP) & kDotProducts) != 0;
#else
  return false;
#endif
}
#endif

const Isa* detect() {
  static Isa isas[4] = {};
  size_t count = 0;
#if defined(SEINE_DOTPROD)
  if (hasDotProducts())
    isas[count++] = {"neondot", &scanNeon, &certifyNeonDot, &quantizeScalar, &adamWScalar, &encodeScalar};
#endif
  isas[count++] = {"neon",          &scanNeon,    &certifyNeon,
                   &quantizeScalar, &adamWScalar, &encodeScalar};  // every ARMv8 has it
  isas[count] = {"scalar", &scanScalar, &certifyScalar, &quantizeScalar, &adamWScalar, &encodeScalar};
  return isas;
}

}  // namespace
#else
namespace seine {
namespace {

const Isa* detect() {
  static const Isa isas[] = {
      {"scalar", &scanScalar, &certifyScalar, &quantizeScalar, &adamWScalar, &encodeScalar}, {}};
  return isas;
}

}  // namespace
#endif

const Isa* supportedIsas() {
  static const Isa* const isas = detect();
  return isas;
}

}  // namespace seine
