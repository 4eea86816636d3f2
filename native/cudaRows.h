// Rows on the CUDA device: slabs that never move, so that appending uploads the new rows only.
#pragma once

#include <cuda_runtime.h>

#include <deque>
#include <mutex>
#include <vector>

#include "../kernels/certify.cuh"
#include "../kernels/scan.cuh"
#include "chunk.h"
#include "cudaLane.h"
#include "cudaPlacement.h"

namespace seine {

/// The rows of one device, in numbers of their own (see CudaPlacement), but for `append`.
/// One lane at a time appends, while others read the rows before.
class CudaRows {
 public:
  /// Rows of `device`, one of those of the placement.
  CudaRows(const Layout& layout, const CudaPlacement& placement, size_t device)
      : layout_(layout), placement_(placement), device_(device) {}

  /// Uploads those of `rows` rows from row `first` of the chunks on that lie on the device, all or nothing:
  /// until the next append they are beyond every snapshot's count if this throws. They are there for every
  /// lane when it returns. Throws Error.
  void append(CudaLane& lane, const Chunks& chunks, size_t first, size_t rows);
  /// The first `count` rows, slab by slab.
  std::vector<cuda::Slab> slabs(size_t count) const;
  /// Codes of the first `count` rows, slab by slab; `sampled` is left to the caller.
  std::vector<cuda::CodeSlab> codeSlabs(size_t count) const;
  /// The rows of `listed` (rising, not empty), slab by slab; they are uploaded to the lane's
  /// `scratch.passing`.
  std::vector<cuda::Slab> slabs(CudaLane& lane, const std::vector<uint32_t>& listed) const;

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
  void addSlab(Slab slab);
  void uploadCodes(CudaLane& lane, const Slab& slab, const Chunk& chunk, size_t slot, size_t to,
                   size_t count) const;

  const Layout layout_;
  const CudaPlacement placement_;
  const size_t device_;
  /// Of `slabs_` itself: slabs stay where they are, and lanes read them while one is added.
  mutable std::mutex mutex_;
  std::deque<Slab> slabs_;
};

}  // namespace seine
