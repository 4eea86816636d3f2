// Certified scan on a CUDA device: launches of the kernels in certify.cu, all asynchronous on one stream.
// Derivation, layout of the codes and bytes moved: README.md in this folder.
//
// A pass takes up to kCodeQueries queries over the codes of all rows, in tiles of kCodeTile:
//   launchSample        per slab: lower bounds of one group of rows in `every`
//   launchCount, launchPick    (scan.cuh) the k-th highest of them: k rows reach it for certain
//   launchCertify       per slab: the rows whose upper bound reaches it, with both bounds
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "codes.h"
#include "scan.cuh"

namespace seine::cuda {

/// Codes that a step multiplies: kCodeAlign is a multiple of it.
constexpr size_t kCodeStep = 32;
constexpr size_t kFragmentLanes = 32;
/// Queries of a product, and of a pass.
constexpr unsigned kCodeTile = 8;
constexpr unsigned kMostCodeTiles = 4;
constexpr unsigned kCodeQueries = kCodeTile * kMostCodeTiles;

/// Codes of rows that lie together, as kernels/codes.h lays them out.
struct CodeSlab {
  const void* codes;      // [count padded to kCodeGroup, 32 · steps] u8, 16-byte aligned
  const float* scales;    // [count]
  const float* errors;    // [count]
  const float* lengths;   // [count]; null for `cosine`
  const float* features;  // [count, CodePass::features]
  size_t first;           // id of the first row, a multiple of kSlabAlign
  size_t count;
  size_t sampled;  // groups that slabs before this one have in the sample
};

/// A row that may be among the k best, with bounds of its canonical score.
struct Survivor {
  float low;
  float high;
  uint32_t row;
};

/// What the kernels of a pass share; pointers to device memory.
struct CodePass {
  unsigned queries;         // 1 to kCodeQueries
  size_t steps;             // of kCodeStep codes
  const void* queryCodes;   // [steps, codeTiles(queries), kFragmentLanes, 2] words, see `queryWord`
  const int32_t* surplus;   // [queries] 128 times the sum of a query's codes
  const CodeBound* bounds;  // [queries], of queries that their first weight was multiplied with
  size_t features;          // of a row
  const float* weights;     // [queries, 1 + features]; not read where there are no features
  const uint32_t* allowed;  // bitset [ceil(rows / 32)]; null: all pass
  size_t every;             // one group in so many is in the sample
  size_t sampleRows;        // rows of the sample's groups
  float* lows;              // [queries, sampleRows]; -infinity: the row does not pass
  Selection* selections;    // [queries]; `found` counts survivors, even those beyond `capacity`
  Survivor* survivors;      // [queries, capacity]
  size_t capacity;
};

/// Tiles of the kernel for so many queries: 1, 2 or kMostCodeTiles.
inline unsigned codeTiles(unsigned queries) {
  const unsigned tiles = (queries + kCodeTile - 1) / kCodeTile;
  return tiles <= 2 ? tiles : kMostCodeTiles;
}

/// Groups of a slab of `count` rows that are in the sample.
inline size_t sampledGroups(size_t count, size_t every) {
  return ((count + kCodeGroup - 1) / kCodeGroup + every - 1) / every;
}

/// Of a query's codes as words, the one that is word `i` of a lane's fragment in a step.
inline size_t queryWord(size_t step, size_t lane, size_t i) { return step * 8 + i * 4 + lane % 4; }

cudaError_t launchSample(const CodePass& pass, const CodeSlab& slab, unsigned blocks, cudaStream_t stream);
cudaError_t launchCertify(const CodePass& pass, const CodeSlab& slab, unsigned blocks, cudaStream_t stream);

}  // namespace seine::cuda
