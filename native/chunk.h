// Rows in memory: chunks of a fixed number of rows, so that appending never moves a row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "../kernels/dtype.h"
#include "../kernels/encode.h"
#include "../kernels/metric.h"
#include "alignedArray.h"

namespace seine {

/// Rows as they come from JavaScript and go back: see StoredRows in ts/device/storedRows.ts.
struct StoredRows {
  const uint8_t* numbers;  // [count], each of `Layout::storedBytes`
  const float* scales;     // [count] for int8
  size_t count;
  const float* features = nullptr;  // [count, Layout::features]
};

/// How rows of one dimension, metric and form lie in chunks.
struct Layout {
  /// `coded`: int8 codes are kept beside the rows.
  Layout(size_t dim, Metric metric, Dtype dtype, bool coded, size_t features = 0);

  /// With what is kept beside a row's numbers.
  size_t rowBytes() const;
  /// Of `count` numbers in memory.
  size_t bytesOf(size_t count) const { return count * bitsOf(dtype) / 8; }
  /// Of a row's numbers as JavaScript holds them: bits begin at whole words.
  size_t storedBytes() const { return dtype == Dtype::binary ? (dim + 31) / 32 * 4 : bytesOf(dim); }
  /// Float32 from query to query: its numbers, or its bits in as many words.
  size_t queryStride() const { return dtype == Dtype::binary ? stride / 32 : stride; }

  size_t dim;
  Metric metric;
  Dtype dtype;
  /// Float32 beside each row that queries weigh.
  size_t features;
  /// Numbers from row to row: `dim` padded with zeros, see `rowAlign`.
  size_t stride;
  /// Codes from row to row, padded likewise; 0 where rows have no codes.
  size_t codeStride;
  /// Rows of a chunk: 2 ** shift.
  unsigned shift;
  size_t rowsPerChunk;
};

/// Written once, by the append that the rows came with; searches read rows below their snapshot's count only.
class Chunk {
 public:
  /// `full`: all rows will be written soon, so large pages pay. Throws std::bad_alloc.
  Chunk(const Layout& layout, bool full);
  ~Chunk();
  Chunk(const Chunk&) = delete;
  Chunk& operator=(const Chunk&) = delete;

  /// Copies `data` to the rows from `first` on.
  void copy(const Layout& layout, size_t first, const StoredRows& data);
  /// Makes what is kept beside `count` rows from `first` on, which were copied.
  void measure(const Layout& layout, const EncodeKernel& encode, size_t first, size_t count);
  /// The numbers of a row [stride].
  const uint8_t* row(const Layout& layout, size_t slot) const {
    return rows + slot * layout.bytesOf(layout.stride);
  }
  /// The same of f32 rows.
  const float* floats(const Layout& layout, size_t slot) const {
    return reinterpret_cast<const float*>(row(layout, slot));
  }
  /// The same as float32 [dim], where that is another form.
  void decode(const Layout& layout, size_t slot, float* to) const;
  const float* featuresOf(const Layout& layout, size_t slot) const {
    return features.data() + slot * layout.features;
  }

  /// Interleaved as kernels/codes.h tells; of no size where rows have no codes. The bytes of rows of the same
  /// group are written while searches read others.
  uint8_t* const codes;  // [rowsPerChunk, codeStride], aligned
  uint8_t* const rows;   // [rowsPerChunk, stride] numbers, aligned
  /// Of each row, see `rowWeight`; empty for distances.
  AlignedFloats weights;
  AlignedFloats features;  // [rowsPerChunk, Layout::features]
  /// Of each row, see `CodedRow`; empty where rows have no codes.
  AlignedFloats scales;
  AlignedFloats errors;
  /// What codes are multiplied by, for dtype int8 only.
  AlignedFloats factors;
  /// Of each row with codes, rounded up, for `l2` only.
  AlignedFloats lengths;
  /// Canonical lengths, for `cosine` only.
  std::unique_ptr<double[]> norms;

 private:
  void writeCodes(const Layout& layout, const EncodeKernel& encode, size_t row, size_t count,
                  const double* rowLengths);
};

using Chunks = std::vector<std::shared_ptr<Chunk>>;

}  // namespace seine
