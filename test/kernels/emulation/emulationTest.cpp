#include "emulationTest.h"

#include <cuda_runtime.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <vector>

#include "../../../kernels/mma.cuh"

namespace {

using namespace seine;

bool passed = true;

/// Runs `kernel` on one block; returns the failure, if any.
std::string failureOf(unsigned threads, const std::function<void()>& kernel, uint64_t seed = 7) {
  emulation::Block block;
  try {
    block.run(kernel, {1, 1, 1}, {0, 0, 0}, threads, seed);
    return "";
  } catch (const emulation::Failure& failure) {
    return failure.what();
  }
}

unsigned sharedAtFirst() {
  __shared__ unsigned value;
  return value;
}

void testWarps() {
  unsigned wrong = 0;
  const std::string none = failureOf(64, [&] {
    const unsigned lane = threadIdx.x % 32;
    wrong += __shfl_xor_sync(~0u, threadIdx.x + 0u, 5) != (threadIdx.x ^ 5);
    wrong += __shfl_sync(~0u, threadIdx.x + 0u, 3) != threadIdx.x - lane + 3;
    wrong += __shfl_up_sync(~0u, lane, 4) != (lane < 4 ? lane : lane - 4);
    wrong += __ballot_sync(~0u, lane % 2 == 1) != 0xaaaaaaaau;
    if (lane < 16) wrong += __ballot_sync(0xffff, lane == 2) != 4;
    __syncthreads();
    __syncwarp();
  });
  check(none.empty() && wrong == 0, "warp operations give every lane its value");
  unsigned last = 0, arrived = 0;
  failureOf(96, [&] {
    arrived++;
    __syncthreads();
    if (arrived != 96) last++;
  });
  check(last == 0, "a barrier waits for every thread");
  const auto fails = [](unsigned threads, const std::function<void()>& kernel, const char* what) {
    const std::string failure = failureOf(threads, kernel);
    check(!failure.empty(), std::string(what) + ": " + failure);
  };
  fails(
      64,
      [] {
        if (threadIdx.x < 40) __syncthreads();
      },
      "a divergent barrier is found");
  fails(
      32,
      [] {
        if (threadIdx.x < 8) __ballot_sync(~0u, 1);
      },
      "a mask with lanes that end is found");
  fails(
      32,
      [] {
        if (threadIdx.x % 2 == 0)
          __syncthreads();
        else
          __syncwarp();
      },
      "two barriers are found");
  fails(
      32, [] { __shfl_sync(1u << threadIdx.x, 1u, (threadIdx.x + 1) % 32); }, "a foreign lane is found");
  fails(
      32, [] { __ballot_sync(2, 1); }, "a lane outside of its mask is found");
  unsigned shared = 0;
  failureOf(32, [&] { shared = sharedAtFirst(); });
  check(shared >= 0x80808080u, "shared memory holds garbage at first");
  const auto order = [](uint64_t seed) {
    std::vector<unsigned> threads;
    failureOf(
        64, [&] { threads.push_back(threadIdx.x); }, seed);
    return threads;
  };
  check(order(1) == order(1) && order(1) != order(2), "a seed gives an order of threads");
}

/// The product of a warp, from fragments that lie as kernels/mma.cuh tells, against sums of products.
void testMultiply() {
  std::mt19937 random(3);
  uint8_t a[16][32];
  int8_t b[32][8];
  for (auto& row : a) {
    for (uint8_t& code : row) code = static_cast<uint8_t>(random());
  }
  for (auto& row : b) {
    for (int8_t& code : row) code = static_cast<int8_t>(random());
  }
  unsigned wrong = 0;
  const std::string failure = failureOf(64, [&] {
    const unsigned g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
    const auto ofRow = [&](unsigned row, unsigned from) {
      uint32_t word = 0;
      for (unsigned i = 0; i < 4; i++) word |= uint32_t{a[row][from + i]} << (8 * i);
      return word;
    };
    const auto ofColumn = [&](unsigned from) {
      uint32_t word = 0;
      for (unsigned i = 0; i < 4; i++) word |= uint32_t{static_cast<uint8_t>(b[from + i][g])} << (8 * i);
      return word;
    };
    int32_t sums[4] = {-1, 2, -3, 4};
    const int32_t before[4] = {-1, 2, -3, 4};
    cuda::multiplyCodes(
        sums, {ofRow(g, 4 * t), ofRow(g + 8, 4 * t), ofRow(g, 16 + 4 * t), ofRow(g + 8, 16 + 4 * t)},
        {ofColumn(4 * t), ofColumn(16 + 4 * t)});
    for (unsigned i = 0; i < 4; i++) {
      int32_t expected = before[i];
      for (unsigned k = 0; k < 32; k++) expected += a[g + i / 2 * 8][k] * b[k][2 * t + i % 2];
      wrong += sums[i] != expected;
    }
  });
  check(failure.empty() && wrong == 0, "a product of fragments is that of the matrices");
}

uint32_t (*sharedWords())[8] {
  alignas(16) __shared__ uint32_t words[2][8];
  return words;
}

void testCopies() {
  alignas(16) const uint32_t source[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  bool early = true, first = false, second = true, both = false;
  const std::string failure = failureOf(1, [&] {
    uint32_t(*const words)[8] = sharedWords();
    cuda::copyAsync(words[0], source);
    cuda::commitCopies();
    cuda::copyAsync(words[1], source + 4);
    cuda::commitCopies();
    early = words[0][0] == 1 && words[0][1] == 2;
    cuda::waitCopies<1>();
    first = words[0][0] == 1 && words[0][3] == 4;
    second = words[1][0] == 5 && words[1][1] == 6;
    cuda::waitCopies<0>();
    both = words[1][0] == 5 && words[1][3] == 8;
  });
  check(failure.empty() && !early && first && !second && both, "copies arrive when they are waited for");
  check(!failureOf(1, [&] { cuda::copyAsync(sharedWords()[0] + 1, source); }).empty(),
        "a copy that is not aligned is found");
  check(!failureOf(1, [&] { cuda::copyAsync(const_cast<uint32_t*>(source), source); }).empty(),
        "a copy to elsewhere than shared memory is found");
}

}  // namespace

void check(bool holds, const std::string& what) {
  std::printf("%s: %s\n", holds ? "ok" : "FAILED", what.c_str());
  passed = passed && holds;
  if (!holds && std::getenv("SEINE_FIRST_FAILURE") != nullptr) {
    std::fflush(stdout);
    std::_Exit(1);
  }
}

bool allPassed() { return passed; }

void testEmulation() {
  testWarps();
  testMultiply();
  testCopies();
}
