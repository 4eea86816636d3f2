// Instructions of PTX that CUDA C++ has no functions for, one function each. Layouts of fragments and when a
// copy can be seen: PTX ISA, "Matrix fragments for mma.m16n8k32" and "Asynchronous copy". The emulation
// implements the same (test/kernels/emulation/emulated_mma.h).
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#if defined(__CUDACC__)
namespace seine::cuda {
namespace {

/// `sums` += a · b over a warp: a [16, 32] u8, b [32, 8] s8, sums [16, 8] s32 (exact while they fit). With
/// g = lane / 4 and t = lane % 4 a lane holds, four numbers a word, a[g][4t…], a[g + 8][4t…],
/// a[g][16 + 4t…], a[g + 8][16 + 4t…]; b[4t…][g], b[16 + 4t…][g]; sums [g][2t, 2t + 1], [g + 8][2t, 2t + 1].
__device__ inline void multiplyCodes(int32_t (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+r"(sums[0]), "+r"(sums[1]), "+r"(sums[2]), "+r"(sums[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

/// Starts to copy 16 bytes from global to shared memory, both 16-byte aligned, past the first-level cache.
/// Nobody may touch them there until the group of the copy has been waited for.
__device__ inline void copyAsync(void* shared, const void* global) {
  const auto to = static_cast<uint32_t>(__cvta_generic_to_shared(shared));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" : : "r"(to), "l"(global) : "memory");
}

/// Makes a group of the thread's copies since the last one; it may be empty.
__device__ inline void commitCopies() { asm volatile("cp.async.commit_group;" : : : "memory"); }

/// Waits until at most the latest `kLeft` groups of this thread are under way. Other threads see the copies
/// after a barrier only.
template <unsigned kLeft>
__device__ inline void waitCopies() {
  asm volatile("cp.async.wait_group %0;" : : "n"(kLeft) : "memory");
}

}  // namespace
}  // namespace seine::cuda
#else
#include <emulated_mma.h>
#endif
