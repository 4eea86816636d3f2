#include "merge.cuh"
#include "scanGrid.cuh"
#include "scanKeys.cuh"

namespace seine::cuda {
namespace {

/// The smaller, the better: equal scores by id.
__device__ uint64_t entryKey(const Merging& merging, uint32_t entry) {
  const uint32_t falling = keyOf(merging.scores[entry]);
  return static_cast<uint64_t>(merging.lowest ? ~falling : falling) << 32 | merging.ids[entry];
}

/// How many entries of a list come before `key`; of those equal to it all if `equals`, else none.
__device__ uint32_t countBefore(const Merging& merging, uint32_t list, uint64_t key, bool equals) {
  uint32_t low = merging.starts[list], high = merging.starts[list + 1];
  const uint32_t begin = low;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    const uint64_t other = entryKey(merging, middle);
    if (other < key || (equals && other == key)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low - begin;
}

/// The last list that begins at the entry or before it: empty ones begin where the next does.
__device__ uint32_t listOf(const Merging& merging, uint32_t entry) {
  uint32_t low = 0, high = merging.runs;
  while (high - low > 1) {
    const uint32_t middle = low + (high - low) / 2;
    if (merging.starts[middle] <= entry) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

/// A thread an entry, without a barrier: its place in the answer is the number of entries that come before
/// it, which is its place in its own list and a binary search in each other one.
__global__ void __launch_bounds__(kThreads) mergeEntries(Merging merging) {
  const size_t threads = static_cast<size_t>(gridDim.x) * kThreads;
  for (size_t at = static_cast<size_t>(blockIdx.x) * kThreads + threadIdx.x; at < merging.entries;
       at += threads) {
    const auto entry = static_cast<uint32_t>(at);
    const uint32_t list = listOf(merging, entry);
    const uint32_t query = list / merging.lists;
    const uint64_t key = entryKey(merging, entry);
    uint32_t rank = entry - merging.starts[list];
    const uint32_t end = (query + 1) * merging.lists;
    for (uint32_t other = query * merging.lists; other < end && rank < merging.k; other++) {
      // Of equal entries those of earlier lists come first.
      if (other != list) rank += countBefore(merging, other, key, other < list);
    }
    if (rank >= merging.k) continue;
    const size_t slot = static_cast<size_t>(query) * merging.k + rank;
    merging.bestIds[slot] = merging.ids[entry];
    merging.best[slot] = merging.scores[entry];
  }
}

}  // namespace

cudaError_t launchMerge(const Merging& merging, unsigned blocks, cudaStream_t stream) {
  const cudaLaunchConfig_t grid = config(gridFor(merging.entries, blocks), 1, kThreads, stream);
  return cudaLaunchKernelEx(&grid, mergeEntries, merging);
}

}  // namespace seine::cuda
