#include "chunk.h"

#include <cstring>
#include <new>

#include "../kernels/bound.h"
#include "../kernels/canonical.h"
#include "../kernels/codes.h"
#include "../kernels/decode.h"
#include "../kernels/scan.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace seine {
namespace {

constexpr size_t kChunkBytes = 4 << 20;
constexpr std::align_val_t kAlignment{2 << 20};  // a large page

uint8_t* allocate(size_t bytes, bool full) {
  void* memory = ::operator new(bytes, kAlignment);
#if defined(__linux__)
  // Only advice: without large pages it works all the same.
  if (full) madvise(memory, bytes, MADV_HUGEPAGE);
#else
  (void)full;
#endif
  return static_cast<uint8_t*>(memory);
}

}  // namespace

Layout::Layout(size_t dim, Metric metric, Dtype dtype, bool coded, size_t features)
    : dim(dim),
      metric(metric),
      dtype(dtype),
      features(features),
      stride((dim + rowAlign(dtype) - 1) / rowAlign(dtype) * rowAlign(dtype)),
      codeStride(coded ? (dim + kCodeAlign - 1) / kCodeAlign * kCodeAlign : 0),
      shift(6) {
  while ((bytesOf(stride) + features * sizeof(float)) << (shift + 1) <= kChunkBytes) shift++;
  rowsPerChunk = size_t{1} << shift;
}

size_t Layout::rowBytes() const {
  size_t bytes = bytesOf(stride) + features * sizeof(float);
  if (dtype == Dtype::int8) bytes += sizeof(float);
  if (!isDistance(metric)) bytes += sizeof(float);
  if (metric == Metric::cosine) bytes += sizeof(double);
  if (codeStride > 0) bytes += codeStride + (metric == Metric::l2 ? 3 : 2) * sizeof(float);
  return bytes;
}

// Codes come first: they are what every search reads, and large pages cover the beginning for certain.
Chunk::Chunk(const Layout& layout, bool full)
    : codes(allocate(layout.rowsPerChunk * (layout.codeStride + layout.bytesOf(layout.stride)), full)),
      rows(codes + layout.rowsPerChunk * layout.codeStride) {
  const size_t count = layout.rowsPerChunk;
  try {
    if (!isDistance(layout.metric)) weights = AlignedFloats(count);
    if (layout.features > 0) features = AlignedFloats(count * layout.features);
    if (layout.metric == Metric::cosine) norms.reset(new double[count]);
    if (layout.dtype == Dtype::int8) factors = AlignedFloats(count);
    if (layout.codeStride == 0) return;
    scales = AlignedFloats(count);
    errors = AlignedFloats(count);
    if (layout.metric == Metric::l2) lengths = AlignedFloats(count);
  } catch (...) {
    ::operator delete(codes, kAlignment);
    throw;
  }
}

Chunk::~Chunk() { ::operator delete(codes, kAlignment); }

void Chunk::copy(const Layout& layout, size_t first, const StoredRows& data) {
  const size_t stored = layout.storedBytes(), bytes = layout.bytesOf(layout.stride);
  if (layout.features > 0) {
    std::memcpy(&features[first * layout.features], data.features,
                data.count * layout.features * sizeof(float));
  }
  if (layout.dtype == Dtype::int8) {
    std::memcpy(&factors[first], data.scales, data.count * sizeof(float));
  }
  if (stored == bytes) {
    std::memcpy(rows + first * bytes, data.numbers, data.count * bytes);
    return;
  }
  for (size_t i = 0; i < data.count; i++) {
    uint8_t* const to = rows + (first + i) * bytes;
    std::memcpy(to, data.numbers + i * stored, stored);
    std::memset(to + stored, 0, bytes - stored);
  }
}

void Chunk::measure(const Layout& layout, const EncodeKernel& encode, size_t first, size_t count) {
  if (isDistance(layout.metric) && layout.codeStride == 0) return;
  constexpr size_t kBlock = 64;  // rows that are still cached when they are encoded
  double rowLengths[kBlock];
  for (size_t start = 0; start < count; start += kBlock) {
    const size_t block = count - start < kBlock ? count - start : kBlock;
    const size_t row = first + start;
    if (layout.dtype == Dtype::f32) {
      canonicalNorms(floats(layout, row), block, layout.stride, layout.dim, rowLengths);
    } else {
      for (size_t i = 0; i < block; i++) {
        const float factor = layout.dtype == Dtype::int8 ? factors[row + i] : 1;
        rowLengths[i] = storedNorm(layout.dtype, this->row(layout, row + i), layout.dim, factor);
      }
    }
    if (!isDistance(layout.metric)) {
      for (size_t i = 0; i < block; i++) weights[row + i] = rowWeight(layout.metric, rowLengths[i]);
    }
    if (norms) std::memcpy(&norms[row], rowLengths, block * sizeof(double));
    if (layout.codeStride > 0) writeCodes(layout, encode, row, block, rowLengths);
  }
}

void Chunk::decode(const Layout& layout, size_t slot, float* to) const {
  const float factor = layout.dtype == Dtype::int8 ? factors[slot] : 1;
  decodeNumbers(layout.dtype, row(layout, slot), layout.dim, factor, to);
}

void Chunk::writeCodes(const Layout& layout, const EncodeKernel& encode, size_t row, size_t count,
                       const double* rowLengths) {
  for (size_t i = row; i < row + count; i++) {
    uint8_t* const to = codes + i / kCodeGroup * kCodeGroup * layout.codeStride + i % kCodeGroup * 4;
    const double length = rowLengths[i - row];
    const CodedRow coded = encodeRow(encode, layout.metric, floats(layout, i), layout.dim, length, to);
    scales[i] = coded.scale;
    errors[i] = coded.error;
    if (layout.metric == Metric::l2) lengths[i] = rowWeight(Metric::ip, length);
  }
}

}  // namespace seine
