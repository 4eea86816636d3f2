// Rows in memory: chunks of a fixed number of rows, so that appending never moves a row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "../kernels/metric.h"
#include "alignedArray.h"

namespace seine {

/// How rows of one dimension and metric lie in chunks.
struct Layout {
  /// `coded`: int8 codes are kept beside the rows.
  Layout(size_t dim, Metric metric, bool coded);

  /// With what is kept beside a row's values.
  size_t rowBytes() const;

  size_t dim;
  Metric metric;
  /// Floats from row to row: `dim` padded with zeros to whole cache lines.
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

  /// Copies `count` rows of `data` [count, dim] to the rows from `first` on.
  void write(const Layout& layout, size_t first, const float* data, size_t count);

  /// Interleaved as kernels/codes.h tells; of no size where rows have no codes. The bytes of rows of the same
  /// group are written while searches read others.
  uint8_t* const codes;  // [rowsPerChunk, codeStride], aligned
  float* const values;   // [rowsPerChunk, stride], aligned
  /// Of each row, see `rowWeight`; empty for `l2`.
  AlignedFloats weights;
  /// Of each row, see `CodedRow`; empty where rows have no codes.
  AlignedFloats scales;
  AlignedFloats errors;
  /// Of each row with codes, rounded up, for `l2` only.
  AlignedFloats lengths;
  /// Canonical lengths, for `cosine` only.
  std::unique_ptr<double[]> norms;

 private:
  void writeCodes(const Layout& layout, size_t row, size_t count, const double* rowLengths);
};

using Chunks = std::vector<std::shared_ptr<Chunk>>;

}  // namespace seine
