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
  CudaBuffer scales, weights, features;
  if (layout_.dtype == Dtype::int8) scales = CudaBuffer(capacity * sizeof(float), what);
  if (!isDistance(layout_.metric)) weights = CudaBuffer(capacity * sizeof(float), what);
  if (layout_.features > 0) features = CudaBuffer(capacity * layout_.features * sizeof(float), what);
  Slab slab = {std::move(rows), std::move(scales), std::move(weights), std::move(features), {}, {}, {}, {},
               first,           capacity};
  if (layout_.codeStride == 0) return slab;
  slab.codes = CudaBuffer(capacity * layout_.codeStride, what);
  slab.codeScales = CudaBuffer(capacity * sizeof(float), what);
  slab.errors = CudaBuffer(capacity * sizeof(float), what);
  if (layout_.metric == Metric::l2) slab.lengths = CudaBuffer(capacity * sizeof(float), what);
  return slab;
}

/// Makes room for rows below `end`: half as much as there is in advance, if that can be had.
void CudaRows::reserve(size_t end) {
  const size_t room = slabs_.empty() ? 0 : slabs_.back().first + slabs_.back().capacity;
  if (end <= room) return;
  const size_t needed = aligned(end - room);
  const size_t spare = std::min(room / 2, kMostGrowth / layout_.bytesOf(layout_.stride));
  if (spare > needed) {
    try {
      return addSlab(makeSlab(room, aligned(spare)));
    } catch (const Error& error) {
      if (!error.is("ERR_OUT_OF_MEMORY")) throw;
      // Less may do.
    }
  }
  addSlab(makeSlab(room, needed));
}

void CudaRows::addSlab(Slab slab) {
  std::lock_guard lock(mutex_);
  slabs_.push_back(std::move(slab));
}

void CudaRows::append(CudaLane& lane, const Chunks& chunks, size_t first, size_t rows) {
  const size_t begin = placement_.countOn(device_, first), end = placement_.countOn(device_, first + rows);
  if (begin == end) return;
  reserve(end);
  const size_t rowBytes = layout_.bytesOf(layout_.stride);
  auto slab = std::partition_point(slabs_.begin(), slabs_.end(),
                                   [&](const Slab& s) { return s.first + s.capacity <= begin; });
  for (size_t local = begin; local < end;) {
    if (local == slab->first + slab->capacity) ++slab;
    const size_t row = placement_.rowOf(local, device_);
    // Rows that lie together on both sides.
    const size_t slot = row & (layout_.rowsPerChunk - 1);
    const size_t count = std::min({layout_.rowsPerChunk - slot, slab->first + slab->capacity - local,
                                   placement_.blockRows - local % placement_.blockRows, end - local});
    const Chunk& chunk = *chunks[row >> layout_.shift];
    const size_t to = local - slab->first;
    lane.upload(slab->rows.as<char>() + to * rowBytes, chunk.row(layout_, slot), count * rowBytes);
    if (layout_.dtype == Dtype::int8) {
      lane.upload(slab->scales.as<float>() + to, &chunk.factors[slot], count * sizeof(float));
    }
    if (!isDistance(layout_.metric)) {
      lane.upload(slab->weights.as<float>() + to, &chunk.weights[slot], count * sizeof(float));
    }
    if (layout_.features > 0) {
      const size_t width = layout_.features;
      lane.upload(slab->features.as<float>() + to * width, chunk.featuresOf(layout_, slot),
                  count * width * sizeof(float));
    }
    if (layout_.codeStride > 0) uploadCodes(lane, *slab, chunk, slot, to, count);
    local += count;
  }
  lane.synchronize();
}

/// `count` rows, from row `slot` of the chunk to row `to` of the slab.
void CudaRows::uploadCodes(CudaLane& lane, const Slab& slab, const Chunk& chunk, size_t slot, size_t to,
                           size_t count) const {
  // Codes of a group are interleaved, so its earlier rows come once more: the same bytes, which searches may
  // read meanwhile.
  const size_t before = slot % kCodeGroup;
  const size_t rows = (before + count + kCodeGroup - 1) / kCodeGroup * kCodeGroup;
  lane.upload(slab.codes.as<char>() + (to - before) * layout_.codeStride,
              chunk.codes + (slot - before) * layout_.codeStride, rows * layout_.codeStride);
  lane.upload(slab.codeScales.as<float>() + to, &chunk.scales[slot], count * sizeof(float));
  lane.upload(slab.errors.as<float>() + to, &chunk.errors[slot], count * sizeof(float));
  if (layout_.metric != Metric::l2) return;
  lane.upload(slab.lengths.as<float>() + to, &chunk.lengths[slot], count * sizeof(float));
}

std::vector<cuda::CodeSlab> CudaRows::codeSlabs(size_t count) const {
  std::vector<cuda::CodeSlab> result;
  std::lock_guard lock(mutex_);
  for (const Slab& slab : slabs_) {
    if (slab.first >= count) break;
    const CudaBuffer& lengths = layout_.metric == Metric::l2 ? slab.lengths : slab.weights;
    result.push_back({slab.codes.as<void>(), slab.codeScales.as<float>(), slab.errors.as<float>(),
                      layout_.metric == Metric::cosine ? nullptr : lengths.as<float>(),
                      slab.features.as<float>(), slab.first, std::min(slab.capacity, count - slab.first), 0});
  }
  return result;
}

std::vector<cuda::Slab> CudaRows::slabs(size_t count) const {
  std::vector<cuda::Slab> result;
  std::lock_guard lock(mutex_);
  for (const Slab& slab : slabs_) {
    if (slab.first >= count) break;
    result.push_back({slab.rows.as<void>(), slab.scales.as<float>(), slab.weights.as<float>(),
                      slab.features.as<float>(), slab.first, std::min(slab.capacity, count - slab.first),
                      nullptr});
  }
  return result;
}

std::vector<cuda::Slab> CudaRows::slabs(CudaLane& lane, const std::vector<uint32_t>& listed) const {
  const size_t bytes = listed.size() * sizeof(uint32_t);
  growBuffer(lane.scratch.passing, bytes);
  std::vector<uint32_t> rows = listed;
  std::vector<cuda::Slab> result;
  size_t from = 0;
  std::unique_lock lock(mutex_);
  for (const Slab& slab : slabs_) {
    const auto end = std::lower_bound(listed.begin(), listed.end(), slab.first + slab.capacity);
    const auto to = static_cast<size_t>(end - listed.begin());
    if (to == from) continue;
    for (size_t i = from; i < to; i++) rows[i] -= static_cast<uint32_t>(slab.first);
    result.push_back({slab.rows.as<void>(), slab.scales.as<float>(), slab.weights.as<float>(),
                      slab.features.as<float>(), from, to - from,
                      lane.scratch.passing.as<uint32_t>() + from});
    from = to;
  }
  lock.unlock();
  lane.upload(lane.scratch.passing.as<void>(), rows.data(), bytes);
  return result;
}

}  // namespace seine
