// Rows on the CUDA device: slabs that never move, so that appending uploads the new rows only.
#pragma once

#include <cuda_runtime.h>

#include <vector>

#include "../kernels/certify.cuh"
#include "../kernels/scan.cuh"
#include "chunk.h"
#include "cudaDevice.h"

namespace seine {

/// Used and destroyed on the device's thread.
class CudaRows {
 public:
  CudaRows(CudaDevice& device, const Layout& layout) : device_(device), layout_(layout) {}

  /// Uploads `rows` rows from row `first` of the chunks on, all or nothing: until the next append they are
  /// beyond every snapshot's count if this throws. Throws Error.
  void append(const Chunks& chunks, size_t first, size_t rows);
  /// The first `count` rows, slab by slab.
  std::vector<cuda::Slab> slabs(size_t count) const;
  /// Codes of the first `count` rows, slab by slab; `sampled` is left to the caller.
  std::vector<cuda::CodeSlab> codeSlabs(size_t count) const;
  /// The rows of `listed` (rising, not empty), slab by slab; they are uploaded to `scratch.passing`.
  std::vector<cuda::Slab> slabs(const std::vector<uint32_t>& listed);

  /// Memory that searches take one after the other; it grows and is kept.
  struct Scratch {
    CudaBuffer queries, bounds, weights, passing, lows, highs, histogram, selections, candidates;
    CudaBuffer surplus, codeBounds, survivors;
  } scratch;

 private:
  struct Slab {
    CudaBuffer rows;
    CudaBuffer scales;                     // for int8, else empty
    CudaBuffer weights;                    // empty for distances
    CudaBuffer features;                   // empty where rows have none
    CudaBuffer codes, codeScales, errors;  // empty where rows have no codes
    CudaBuffer lengths;                    // of rows with codes, for `l2`; else empty
    size_t first;
    size_t capacity;
  };

  void reserve(size_t end);
  Slab makeSlab(size_t first, size_t capacity) const;
  void uploadCodes(const Slab& slab, const Chunk& chunk, size_t slot, size_t to, size_t count);

  CudaDevice& device_;
  const Layout layout_;
  std::vector<Slab> slabs_;
};

}  // namespace seine
