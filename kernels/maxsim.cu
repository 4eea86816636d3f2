// Maxsim: the best float32 scores of queries' tokens with documents, and bounds of the sums of these.
#include "interval.h"
#include "maxsim.cuh"
#include "mma.cuh"
#include "scanSums.cuh"

namespace seine::cuda {
namespace {

/// Tokens of a document that a group of kLanes lanes scores side by side, a chunk a lane.
constexpr unsigned kRows = 4;
constexpr unsigned kLanes = 8;
constexpr unsigned kSums = kRows * kTokenGroup;
constexpr unsigned kHeld = kSums / kLanes;
/// Tokens that a warp scores side by side.
constexpr unsigned kStageRows = kWarp / kLanes * kRows;
/// Parts of a document, kStageRows tokens by kLanes chunks, that are on their way from memory: 2 KiB each.
constexpr unsigned kStages = 8;

using Stages = uint4[kStages][kStageRows][kLanes];
/// Not in the kernel itself, which is a template: hosts' compilers would not keep it with shared memory.
__device__ Stages& sharedStages() {
  __shared__ Stages stages;
  return stages;
}

__device__ inline size_t documentAt(const DocumentPass& pass, size_t slot) {
  return pass.listed == nullptr ? slot : pass.listed[slot];
}
__device__ inline bool documentPasses(const DocumentPass& pass, size_t document) {
  return pass.allowed == nullptr || ((pass.allowed[document / 32] >> (document % 32)) & 1) != 0;
}

/// The tokens of a document that lie in the slab: its rows from `begin` to `end`, none behind the last one.
struct Part {
  size_t slot;
  size_t begin;
  size_t end;
  bool continued;  // the document begins in the slab before
};

/// The documents of a block.
struct Walk {
  const DocumentPass& pass;
  const Slab& slab;
  size_t end;
  __device__ Part from(size_t slot) const {
    const size_t slabEnd = slab.first + slab.count;
    for (; slot < end; slot += gridDim.x) {
      const size_t document = documentAt(pass, slot);
      if (!documentPasses(pass, document)) continue;
      const size_t first = pass.starts[document], last = pass.starts[document + 1];
      const size_t from = first < slab.first ? slab.first : first, to = last < slabEnd ? last : slabEnd;
      if (from < to) return {slot, from - slab.first, to - slab.first, first < slab.first};
    }
    return {end, 0, 0, false};
  }
};

/// The higher of two scores; NaN if one of them is NaN.
__device__ inline float higher(float a, float b) { return a != a || b != b ? nanf("") : fmaxf(a, b); }

/// Lanes of a warp look up how long the longest token is.
__device__ inline void storeLongest(const DocumentPass& pass, const Slab& slab, const Part& part,
                                    unsigned lane) {
  float longest = lane == 0 && part.continued ? pass.longest[part.slot] : 0;
  for (size_t row = part.begin + lane; row < part.end; row += kWarp) {
    longest = fmaxf(longest, slab.weights[row]);
  }
  for (unsigned offset = 1; offset < kWarp; offset *= 2) {
    longest = fmaxf(longest, __shfl_xor_sync(kAll, longest, offset));
  }
  if (lane == 0) pass.longest[part.slot] = longest;
}

/// A block takes a document at a time: all of its threads bring its tokens to shared memory, once, and each
/// warp scores them with kTokenGroup tokens of queries. The parts of all documents of the block form one
/// sequence, so that copies never run dry between them.
template <Dtype kDtype>
__global__ void __launch_bounds__(kThreads, 2)
    bestTokens(DocumentPass pass, Slab slab, size_t begin, size_t end) {
  using Form = Numbers<kDtype>;
  Stages& stages = sharedStages();
  const unsigned lane = threadIdx.x % kWarp, part = lane % kLanes, group = lane / kLanes;
  const size_t firstOfWarp = threadIdx.x / kWarp * kTokenGroup;
  const size_t chunks = pass.chunks;
  const auto* const rows = static_cast<const uint4*>(slab.rows);
  const auto* const tokens =
      static_cast<const typename Form::Part*>(pass.tokenValues) + firstOfWarp * chunks * Form::kParts;
  bool unused;
  const unsigned firstOwn = firstSum<kLanes, kSums>(part, unused);
  const Walk walk = {pass, slab, end};
  Part ahead = walk.from(begin + blockIdx.x);
  size_t aheadRow = ahead.begin, aheadChunk = 0;
  const auto start = [&](unsigned stage) {
    if (ahead.slot < end) {
      for (unsigned i = threadIdx.x; i < kStageRows * kLanes; i += blockDim.x) {
        const size_t row = aheadRow + i / kLanes, chunk = aheadChunk + i % kLanes;
        if (row < ahead.end && chunk < chunks) {
          copyAsync(&stages[stage][i / kLanes][i % kLanes], &rows[row * chunks + chunk]);
        }
      }
      aheadChunk += kLanes;
      if (aheadChunk >= chunks) {
        aheadChunk = 0;
        aheadRow += kStageRows;
        if (aheadRow >= ahead.end) {
          ahead = walk.from(ahead.slot + gridDim.x);
          aheadRow = ahead.begin;
        }
      }
    }
    commitCopies();
  };
  for (unsigned stage = 0; stage + 1 < kStages; stage++) start(stage);
  unsigned stage = 0;
  for (Part now = walk.from(begin + blockIdx.x); now.slot < end; now = walk.from(now.slot + gridDim.x)) {
    if (threadIdx.x < kWarp) storeLongest(pass, slab, now, lane);
    float best[kHeld];
#pragma unroll
    for (unsigned i = 0; i < kHeld; i++) best[i] = -HUGE_VALF;
    for (size_t base = now.begin; base < now.end; base += kStageRows) {
      const size_t first = base + group * kRows;
      float scales[kRows];
#pragma unroll
      for (unsigned r = 0; r < kRows; r++) {
        scales[r] = kDtype == Dtype::int8 && first + r < now.end ? slab.scales[first + r] : 1;
      }
      float sums[kSums] = {};
      for (size_t chunk = 0; chunk < chunks; chunk += kLanes) {
        waitCopies<kStages - 2>();
        __syncthreads();  // every thread's part is there, and the stage before has been read by all
        start((stage + kStages - 1) % kStages);
        if (chunk + part < chunks) {
          // Of tokens behind the last one it is garbage, which nobody looks at.
          uint4 codes[kRows];
#pragma unroll
          for (unsigned r = 0; r < kRows; r++) codes[r] = stages[stage][group * kRows + r][part];
          addChunk<Form, false>(codes, scales, tokens + (chunk + part) * Form::kParts, chunks * Form::kParts,
                                sums);
        }
        stage = (stage + 1) % kStages;
      }
      reduce<1, kLanes>(sums, part);
      if (first + firstOwn / kTokenGroup >= now.end) continue;
#pragma unroll
      for (unsigned i = 0; i < kHeld; i++) {
        // A score that is not finite may stand for the best product: it must not hide behind others.
        best[i] = higher(best[i], fabsf(sums[i]) < HUGE_VALF ? sums[i] : nanf(""));
      }
    }
    // Lanes have the scores of the same tokens of queries but for these bits: rows of a group, and groups.
#pragma unroll
    for (unsigned offset = 1; offset < kWarp; offset = offset == 2 ? kLanes : 2 * offset) {
#pragma unroll
      for (unsigned i = 0; i < kHeld; i++) best[i] = higher(best[i], __shfl_xor_sync(kAll, best[i], offset));
    }
    if (group > 0 || part % kRows > 0) continue;
#pragma unroll
    for (unsigned i = 0; i < kHeld; i++) {
      const size_t token = firstOfWarp + firstOwn + i;
      float& known = pass.best[now.slot * kTokenTile + token];
      if (token < pass.tokens) known = now.continued ? higher(known, best[i]) : best[i];
    }
  }
}

/// Adds bounds of the tile's best products to those of the tiles before, in the order of the canonical sum:
/// rounding never reverses an order, so they enclose it.
__global__ void __launch_bounds__(kThreads) sumDocuments(DocumentPass pass) {
  const size_t query = blockIdx.y;
  const size_t first = pass.offsets[query], last = pass.offsets[query + 1];
  const size_t tileEnd = pass.firstToken + pass.tokens;
  const size_t begin = first < pass.firstToken ? pass.firstToken : first;
  const size_t end = last < tileEnd ? last : tileEnd;
  if (begin >= end && first < last) return;  // its tokens are in other tiles
  const size_t threads = static_cast<size_t>(gridDim.x) * kThreads;
  for (size_t slot = static_cast<size_t>(blockIdx.x) * kThreads + threadIdx.x; slot < pass.count;
       slot += threads) {
    const size_t at = query * pass.count + slot;
    const size_t document = documentAt(pass, slot);
    if (!documentPasses(pass, document)) {
      pass.lows[at] = pass.highs[at] = nanf("");
      continue;
    }
    const bool empty = pass.starts[document] == pass.starts[document + 1];
    const float longest = empty ? 0 : pass.longest[slot];
    double low = begin > first ? pass.lowSums[at] : 0, high = begin > first ? pass.highSums[at] : 0;
    for (size_t token = begin; token < end; token++) {
      const size_t i = token - pass.firstToken;
      const Interval interval = empty ? Interval{-HUGE_VALF, -HUGE_VALF}
                                      : intervalOf(pass.bounds[i], pass.best[slot * kTokenTile + i], longest);
      low += interval.low;
      high += interval.high;
    }
    if (end < last) {
      pass.lowSums[at] = low;
      pass.highSums[at] = high;
      continue;
    }
    // A document without tokens has certainly the lowest score.
    const Interval sum = high == -HUGE_VAL ? Interval{-HUGE_VALF, -HUGE_VALF} : roundedOutward(low, high);
    pass.lows[at] = sum.low;
    pass.highs[at] = sum.high;
  }
}

}  // namespace

Summation tokenSummation(Dtype dtype, size_t stride) {
  const size_t step = kChunkBytes * 8 / bitsOf(dtype) * kLanes;
  return {(stride + step - 1) / step * step, kLanes};
}

cudaError_t launchBestTokens(const DocumentPass& pass, const Slab& slab, size_t begin, size_t end,
                             unsigned blocks, cudaStream_t stream) {
  const auto grid = static_cast<unsigned>(end - begin < blocks ? end - begin : blocks);
  const unsigned warps = (pass.tokens + kTokenGroup - 1) / kTokenGroup;
  const cudaLaunchConfig_t launch = config(grid, 1, warps * kWarp, stream);
  switch (pass.dtype) {
    case Dtype::f32:
      return cudaLaunchKernelEx(&launch, bestTokens<Dtype::f32>, pass, slab, begin, end);
    case Dtype::f16:
      return cudaLaunchKernelEx(&launch, bestTokens<Dtype::f16>, pass, slab, begin, end);
    case Dtype::bf16:
      return cudaLaunchKernelEx(&launch, bestTokens<Dtype::bf16>, pass, slab, begin, end);
    default:
      return cudaLaunchKernelEx(&launch, bestTokens<Dtype::int8>, pass, slab, begin, end);
  }
}

cudaError_t launchDocumentSums(const DocumentPass& pass, unsigned blocks, cudaStream_t stream) {
  const cudaLaunchConfig_t launch = config(gridFor(pass.count, blocks), pass.queries, kThreads, stream);
  return cudaLaunchKernelEx(&launch, sumDocuments, pass);
}

}  // namespace seine::cuda
