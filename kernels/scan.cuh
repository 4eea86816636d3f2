// Exact scan on a CUDA device: launches of the kernels in scan.cu and scanSelect.cu, all asynchronous on one
// stream. Formula, bytes moved and limits: README.md in this folder.
//
// A pass takes up to kPassQueries queries over all rows of the snapshot:
//   launchScores        per slab of rows: float32 scores of the rows that pass
//   launchBounds        per slab: lower and upper bounds of the canonical scores
//   launchCount, launchPick    kLevels times: radix selection of the k-th highest lower bound
//   launchCollect       slots of the rows whose upper bound reaches it
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "bound.h"
#include "dtype.h"

namespace seine::cuda {

constexpr unsigned kPassQueries = 8;
/// Digits of the selection, from the top: 11, 11 and 10 bits.
constexpr unsigned kLevels = 3;
constexpr unsigned kBins = 2048;
/// Rows of a slab begin and end at words of the bitset.
constexpr size_t kSlabAlign = 32;

/// Of one query: the k-th smallest key (see scan.cu), digit by digit.
struct Selection {
  uint32_t prefix;  // digits found so far
  uint32_t wanted;  // rank of the wanted key among those with this prefix, from 1
  uint32_t found;   // rows collected, even those beyond `capacity`
};

/// Rows are read in chunks of this many bytes.
constexpr size_t kChunkBytes = 16;

/// Rows that lie together. A search sees `count` of them: the first ones, or those of `listed`.
struct Slab {
  const void* rows;       // [rows, stride] as stored, 16-byte aligned
  const float* scales;    // [rows] for int8, else null
  const float* weights;   // [rows], see `rowWeight`; null for `l2` and `hamming`
  const float* features;  // [rows, Pass::features]
  size_t first;           // slot of the first one: its id, a multiple of kSlabAlign, or its place in the list
  size_t count;
  const uint32_t* listed;  // [count] rising, from the slab's first row; null: every row
};

/// What the kernels of a pass share; pointers to device memory.
struct Pass {
  Metric metric;
  Dtype dtype;
  unsigned queries;         // 1 to kPassQueries; the selection alone takes any number
  size_t chunks;            // from row to row
  size_t count;             // slots: rows of the snapshot, or those that are listed
  const void* queryValues;  // [queries padded to queryTile(queries), numbers of the chunks] float32, or
                            // bits for binary; zero-padded, 16-byte aligned
  const Bound* bounds;      // [queries]
  size_t features;          // of a row
  const float* weights;     // [queries, 1 + features]; not read where there are no features
  const uint32_t* allowed;  // bitset [ceil(count / 32)]; null: all pass
  float* lows;              // [queries, count]: scores, then lower bounds; NaN: the row does not pass
  float* highs;             // [queries, count]
  uint32_t* histogram;      // [queries, kBins], zeros at first and after every launchPick
  Selection* selections;    // [queries]
  uint32_t* candidates;     // [queries, capacity] slots
  size_t capacity;
};

/// Queries that the kernel for `queries` computes.
unsigned queryTile(unsigned queries);

/// For the error bound, `makeBound(metric, paddedStride, lanes, …)`: a score is summed by `lanes` lanes, each
/// taking `paddedStride / lanes` terms one after the other.
struct Summation {
  size_t paddedStride;
  unsigned lanes;
};
Summation summation(Dtype dtype, size_t stride);

/// `blocks` is the largest grid: enough to fill the device. Each returns the launch's error.
cudaError_t launchScores(const Pass& pass, const Slab& slab, unsigned blocks, cudaStream_t stream);
cudaError_t launchBounds(const Pass& pass, const Slab& slab, unsigned blocks, cudaStream_t stream);
cudaError_t launchCount(const Pass& pass, unsigned level, unsigned blocks, cudaStream_t stream);
cudaError_t launchPick(const Pass& pass, unsigned level, cudaStream_t stream);
cudaError_t launchCollect(const Pass& pass, unsigned blocks, cudaStream_t stream);

}  // namespace seine::cuda
