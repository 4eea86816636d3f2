// Maxsim on a CUDA device: launches of the kernels in maxsim.cu, all asynchronous on one stream. Formula,
// bytes moved and limits: README.md in this folder.
//
// A pass takes up to kPassQueries queries over all documents, their tokens in tiles:
//   launchBestTokens    per tile and slab of rows: the best score of each token with each document's tokens
//   launchDocumentSums  per tile: bounds of the sums of these; after a query's last tile those of its scores
// Then launchCount, launchPick and launchCollect (scan.cuh) find the documents that may be among the k best.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "scan.cuh"

namespace seine::cuda {

/// Tokens of queries that pass over the documents together: each warp of a block has kTokenGroup of them.
constexpr unsigned kTokenTile = 64;
constexpr unsigned kTokenGroup = 8;

/// What the kernels of a tile share; pointers to device memory.
struct DocumentPass {
  Dtype dtype;
  size_t chunks;            // from row to row
  size_t count;             // slots: documents of the snapshot, or those that are listed
  const uint32_t* starts;   // [documents + 1]: where each one's tokens begin among the rows, and the end
  const uint32_t* listed;   // [count] documents, rising; null: every one
  const uint32_t* allowed;  // bitset of documents; null: all pass
  unsigned queries;         // 1 to kPassQueries
  const uint32_t* offsets;  // [queries + 1]: where the tokens of each query begin among those of the pass
  size_t firstToken;        // of the tile
  unsigned tokens;          // of the tile, kTokenTile at most
  const void* tokenValues;  // [tokens padded to kTokenGroup, numbers of the chunks] float32, 16-byte aligned
  const Bound* bounds;      // [tokens]
  float* best;              // [count, kTokenTile]: highest scores; NaN: one was not finite
  float* longest;           // [count]: length of a document's longest token, rounded up
  double* lowSums;          // [queries, count]: bounds of the sums so far
  double* highSums;         // [queries, count]
  float* lows;              // [queries, count], of scores; NaN: the document does not pass
  float* highs;             // [queries, count]
};

/// See `summation` in scan.cuh.
Summation tokenSummation(Dtype dtype, size_t stride);

/// Of the tile's tokens with the documents whose slots are `begin` to `end`: they are all that have tokens in
/// `slab`. One that began in the slab before goes on from what is known of it. `blocks` is the largest grid.
/// Each returns the launch's error.
cudaError_t launchBestTokens(const DocumentPass& pass, const Slab& slab, size_t begin, size_t end,
                             unsigned blocks, cudaStream_t stream);
cudaError_t launchDocumentSums(const DocumentPass& pass, unsigned blocks, cudaStream_t stream);

}  // namespace seine::cuda
