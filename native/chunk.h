// Rows in memory: chunks of a fixed number of rows, so that appending never moves a row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "../kernels/metric.h"

namespace seine {

/// How rows of one dimension and metric lie in chunks.
struct Layout {
  Layout(size_t dim, Metric metric);

  /// With what is kept beside a row's values.
  size_t rowBytes() const;

  size_t dim;
  Metric metric;
  /// Floats from row to row: `dim` padded with zeros to whole cache lines.
  size_t stride;
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

  float* const values;  // [rowsPerChunk, stride], aligned
  /// Of each row, see `rowWeight`; empty for `l2`.
  std::unique_ptr<float[]> weights;
  /// Canonical lengths, for `cosine` only.
  std::unique_ptr<double[]> norms;
};

using Chunks = std::vector<std::shared_ptr<Chunk>>;

}  // namespace seine
