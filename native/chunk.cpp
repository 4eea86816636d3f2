#include "chunk.h"

#include <cstring>
#include <new>

#include "../kernels/bound.h"
#include "../kernels/canonical.h"
#include "../kernels/codes.h"
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

Layout::Layout(size_t dim, Metric metric, bool coded)
    : dim(dim),
      metric(metric),
      stride((dim + kRowAlign - 1) / kRowAlign * kRowAlign),
      codeStride(coded ? (dim + kCodeAlign - 1) / kCodeAlign * kCodeAlign : 0),
      shift(6) {
  while ((stride * sizeof(float)) << (shift + 1) <= kChunkBytes) shift++;
  rowsPerChunk = size_t{1} << shift;
}

size_t Layout::rowBytes() const {
  size_t bytes = stride * sizeof(float);
  if (metric != Metric::l2) bytes += sizeof(float);
  if (metric == Metric::cosine) bytes += sizeof(double);
  if (codeStride > 0) bytes += codeStride + (metric == Metric::l2 ? 3 : 2) * sizeof(float);
  return bytes;
}

// Codes come first: they are what every search reads, and large pages cover the beginning for certain.
Chunk::Chunk(const Layout& layout, bool full)
    : codes(allocate(layout.rowsPerChunk * (layout.codeStride + layout.stride * sizeof(float)), full)),
      values(reinterpret_cast<float*>(codes + layout.rowsPerChunk * layout.codeStride)) {
  const size_t rows = layout.rowsPerChunk;
  try {
    if (layout.metric != Metric::l2) weights = AlignedFloats(rows);
    if (layout.metric == Metric::cosine) norms.reset(new double[rows]);
    if (layout.codeStride == 0) return;
    scales = AlignedFloats(rows);
    errors = AlignedFloats(rows);
    if (layout.metric == Metric::l2) lengths = AlignedFloats(rows);
  } catch (...) {
    ::operator delete(codes, kAlignment);
    throw;
  }
}

Chunk::~Chunk() { ::operator delete(codes, kAlignment); }

void Chunk::write(const Layout& layout, size_t first, const float* data, size_t count) {
  const size_t dim = layout.dim, stride = layout.stride;
  constexpr size_t kBlock = 64;  // rows that are still cached when their lengths are computed
  double rowLengths[kBlock];
  for (size_t start = 0; start < count; start += kBlock) {
    const size_t block = count - start < kBlock ? count - start : kBlock;
    const size_t row = first + start;
    float* to = values + row * stride;
    const float* from = data + start * dim;
    if (stride == dim) {
      std::memcpy(to, from, block * dim * sizeof(float));
    } else {
      for (size_t i = 0; i < block; i++) {
        std::memcpy(to + i * stride, from + i * dim, dim * sizeof(float));
        std::memset(to + i * stride + dim, 0, (stride - dim) * sizeof(float));
      }
    }
    if (layout.metric == Metric::l2 && layout.codeStride == 0) continue;
    canonicalNorms(to, block, stride, dim, rowLengths);
    if (layout.metric != Metric::l2) {
      for (size_t i = 0; i < block; i++) weights[row + i] = rowWeight(layout.metric, rowLengths[i]);
    }
    if (norms) std::memcpy(&norms[row], rowLengths, block * sizeof(double));
    if (layout.codeStride > 0) writeCodes(layout, row, block, rowLengths);
  }
}

void Chunk::writeCodes(const Layout& layout, size_t row, size_t count, const double* rowLengths) {
  for (size_t i = row; i < row + count; i++) {
    uint8_t* const to = codes + i / kCodeGroup * kCodeGroup * layout.codeStride + i % kCodeGroup * 4;
    const double length = rowLengths[i - row];
    const CodedRow coded = encodeRow(layout.metric, values + i * layout.stride, layout.dim, length, to);
    scales[i] = coded.scale;
    errors[i] = coded.error;
    if (layout.metric == Metric::l2) lengths[i] = rowWeight(Metric::ip, length);
  }
}

}  // namespace seine
