#include "cudaRows.h"

#include <algorithm>
#include <utility>

namespace seine {
namespace {

constexpr size_t kMostGrowth = size_t{1} << 30;  // bytes that are taken before they are needed

size_t aligned(size_t rows) { return (rows + cuda::kSlabAlign - 1) / cuda::kSlabAlign * cuda::kSlabAlign; }

}  // namespace

CudaRows::Slab CudaRows::makeSlab(size_t first, size_t capacity) const {
  const char* const what = "Memory for rows";
  CudaBuffer rows(capacity * layout_.bytesOf(layout_.stride), what);
  CudaBuffer scales, weights;
  if (layout_.dtype == Dtype::int8) scales = CudaBuffer(capacity * sizeof(float), what);
  if (!isDistance(layout_.metric)) weights = CudaBuffer(capacity * sizeof(float), what);
  return {std::move(rows), std::move(scales), std::move(weights), first, capacity};
}

/// Makes room for rows below `end`: half as much as there is in advance, if that can be had.
void CudaRows::reserve(size_t end) {
  const size_t room = slabs_.empty() ? 0 : slabs_.back().first + slabs_.back().capacity;
  if (end <= room) return;
  const size_t needed = aligned(end - room);
  const size_t spare = std::min(room / 2, kMostGrowth / layout_.bytesOf(layout_.stride));
  if (spare > needed) {
    try {
      slabs_.push_back(makeSlab(room, aligned(spare)));
      return;
    } catch (const Error&) {
      // Less may do.
    }
  }
  slabs_.push_back(makeSlab(room, needed));
}

void CudaRows::append(const Chunks& chunks, size_t first, size_t rows) {
  device_.start();
  reserve(first + rows);
  const size_t rowBytes = layout_.bytesOf(layout_.stride);
  auto slab = std::partition_point(slabs_.begin(), slabs_.end(),
                                   [&](const Slab& s) { return s.first + s.capacity <= first; });
  for (size_t row = first; row < first + rows;) {
    if (row == slab->first + slab->capacity) ++slab;
    // Rows that lie together on both sides.
    const size_t slot = row & (layout_.rowsPerChunk - 1);
    const size_t count =
        std::min({layout_.rowsPerChunk - slot, slab->first + slab->capacity - row, first + rows - row});
    const Chunk& chunk = *chunks[row >> layout_.shift];
    const size_t to = row - slab->first;
    device_.upload(slab->rows.as<char>() + to * rowBytes, chunk.row(layout_, slot), count * rowBytes);
    if (layout_.dtype == Dtype::int8) {
      device_.upload(slab->scales.as<float>() + to, &chunk.factors[slot], count * sizeof(float));
    }
    if (!isDistance(layout_.metric)) {
      device_.upload(slab->weights.as<float>() + to, &chunk.weights[slot], count * sizeof(float));
    }
    row += count;
  }
  device_.synchronize();
}

std::vector<cuda::Slab> CudaRows::slabs(size_t count) const {
  std::vector<cuda::Slab> result;
  for (const Slab& slab : slabs_) {
    if (slab.first >= count) break;
    result.push_back({slab.rows.as<void>(), slab.scales.as<float>(), slab.weights.as<float>(), slab.first,
                      std::min(slab.capacity, count - slab.first), nullptr});
  }
  return result;
}

std::vector<cuda::Slab> CudaRows::slabs(const std::vector<uint32_t>& listed) {
  const size_t bytes = listed.size() * sizeof(uint32_t);
  growBuffer(scratch.passing, bytes);
  std::vector<uint32_t> rows = listed;
  std::vector<cuda::Slab> result;
  size_t from = 0;
  for (const Slab& slab : slabs_) {
    const auto end = std::lower_bound(listed.begin(), listed.end(), slab.first + slab.capacity);
    const auto to = static_cast<size_t>(end - listed.begin());
    if (to == from) continue;
    for (size_t i = from; i < to; i++) rows[i] -= static_cast<uint32_t>(slab.first);
    result.push_back({slab.rows.as<void>(), slab.scales.as<float>(), slab.weights.as<float>(), from,
                      to - from, scratch.passing.as<uint32_t>() + from});
    from = to;
  }
  device_.upload(scratch.passing.as<void>(), rows.data(), bytes);
  return result;
}

}  // namespace seine
