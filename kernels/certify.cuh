// Certified scan on a CUDA device: launches of the kernels in certify.cu, all asynchronous on one stream.
// Derivation, layout of the codes and bytes moved: README.md in this folder.
//
// A pass takes up to kPassQueries queries over the codes of all rows:
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
  unsigned queries;         // 1 to kPassQueries
  size_t steps;             // of kCodeStep codes
  const void* queryCodes;   // [steps, kFragmentLanes, 2] words, see `queryWord`
  const int32_t* surplus;   // [kPassQueries] 128 times the sum of a query's codes
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

/// Groups of a slab of `count` rows that are in the sample.
inline size_t sampledGroups(size_t count, size_t every) {
  return ((count + kCodeGroup - 1) / kCodeGroup + every - 1) / every;
}

/// Of a query's codes as words, the one that is word `i` of a lane's fragment in a step.
inline size_t queryWord(size_t step, size_t lane, size_t i) { return step * 8 + i * 4 + lane % 4; }

cudaError_t launchSample(const CodePass& pass, const CodeSlab& slab, unsigned blocks, cudaStream_t stream);
cudaError_t launchCertify(const CodePass& pass, const CodeSlab& slab, unsigned blocks, cudaStream_t stream);

}  // namespace seine::cuda
