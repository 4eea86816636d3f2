// What kernels/mma.cuh wraps, emulated: fragments lie across the lanes of a warp as the PTX manual documents,
// and copies arrive only when they are waited for.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <cstring>

namespace seine::cuda {

struct EmulatedFragments {
  int32_t* sums;
  const uint32_t *a, *b;
};

/// Byte `i` of a word.
inline uint8_t byteOf(uint32_t word, unsigned i) { return static_cast<uint8_t>(word >> (8 * i)); }

/// The product of a whole warp: fragments to matrices, and back.
inline void multiplyFragments(void* const (&lanes)[32]) {
  uint8_t a[16][32];
  int8_t b[32][8];
  for (unsigned lane = 0; lane < 32; lane++) {
    const auto& held = *static_cast<const EmulatedFragments*>(lanes[lane]);
    // Element i of a is in row lane / 4 (+ 8 for i in 4…7 and 12…15), column 4 · (lane % 4) + i % 4 (+ 16
    // from i = 8 on); element i of b in row 4 · (lane % 4) + i % 4 (+ 16 from i = 4 on), column lane / 4.
    for (unsigned i = 0; i < 16; i++) {
      a[lane / 4 + (i / 4 % 2 == 1 ? 8 : 0)][lane % 4 * 4 + i % 4 + (i >= 8 ? 16 : 0)] =
          byteOf(held.a[i / 4], i % 4);
    }
    for (unsigned i = 0; i < 8; i++) {
      b[lane % 4 * 4 + i % 4 + (i >= 4 ? 16 : 0)][lane / 4] =
          static_cast<int8_t>(byteOf(held.b[i / 4], i % 4));
    }
  }
  for (unsigned lane = 0; lane < 32; lane++) {
    const auto& held = *static_cast<const EmulatedFragments*>(lanes[lane]);
    for (unsigned i = 0; i < 4; i++) {
      const unsigned row = lane / 4 + (i >= 2 ? 8 : 0), column = lane % 4 * 2 + i % 2;
      for (unsigned k = 0; k < 32; k++) held.sums[i] += a[row][k] * b[k][column];
    }
  }
}

inline void multiplyCodes(int32_t (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  EmulatedFragments held = {sums, a, b};
  emulation::Block::current()->together(&held, multiplyFragments);
}

inline void copyAsync(void* shared, const void* global) {
  if (reinterpret_cast<uintptr_t>(shared) % 16 != 0 || reinterpret_cast<uintptr_t>(global) % 16 != 0) {
    throw emulation::Failure("a copy is not aligned to 16 bytes");
  }
  const char* const to = static_cast<const char*>(shared);
  if (to < __start_seine_shared || to + 16 > __stop_seine_shared) {
    throw emulation::Failure("a copy leaves shared memory");
  }
  machine().touch(global, 16, false);
  emulation::Block::current()->startCopy(shared, global, 16);
}

inline void commitCopies() { emulation::Block::current()->commitCopies(); }

template <unsigned kLeft>
void waitCopies() {
  emulation::Block::current()->waitCopies(kLeft);
}

}  // namespace seine::cuda
