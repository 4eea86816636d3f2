#include "chunk.h"

#include <cstring>
#include <new>

#include "../kernels/bound.h"
#include "../kernels/canonical.h"
#include "../kernels/scan.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace seine {
namespace {

constexpr size_t kChunkBytes = 4 << 20;
constexpr std::align_val_t kAlignment{2 << 20};  // a large page

float* allocate(size_t bytes, bool full) {
  void* memory = ::operator new(bytes, kAlignment);
#if defined(__linux__)
  // Only advice: without large pages it works all the same.
  if (full) madvise(memory, bytes, MADV_HUGEPAGE);
#else
  (void)full;
#endif
  return static_cast<float*>(memory);
}

}  // namespace

Layout::Layout(size_t dim, Metric metric)
    : dim(dim), metric(metric), stride((dim + kRowAlign - 1) / kRowAlign * kRowAlign), shift(6) {
  while ((stride * sizeof(float)) << (shift + 1) <= kChunkBytes) shift++;
  rowsPerChunk = size_t{1} << shift;
}

size_t Layout::rowBytes() const {
  const size_t extra = metric == Metric::ip       ? sizeof(float)
                       : metric == Metric::cosine ? sizeof(float) + sizeof(double)
                                                  : 0;
  return stride * sizeof(float) + extra;
}

Chunk::Chunk(const Layout& layout, bool full)
    : values(allocate(layout.rowsPerChunk * layout.stride * sizeof(float), full)) {
  try {
    if (layout.metric != Metric::l2) weights.reset(new float[layout.rowsPerChunk]);
    if (layout.metric == Metric::cosine) norms.reset(new double[layout.rowsPerChunk]);
  } catch (...) {
    ::operator delete(values, kAlignment);
    throw;
  }
}

Chunk::~Chunk() { ::operator delete(values, kAlignment); }

void Chunk::write(const Layout& layout, size_t first, const float* data, size_t count) {
  const size_t dim = layout.dim, stride = layout.stride;
  constexpr size_t kBlock = 64;  // rows that are still cached when their lengths are computed
  double lengths[kBlock];
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
    if (!weights) continue;
    canonicalNorms(to, block, stride, dim, lengths);
    for (size_t i = 0; i < block; i++) weights[row + i] = rowWeight(layout.metric, lengths[i]);
    if (norms) std::memcpy(&norms[row], lengths, block * sizeof(double));
  }
}

}  // namespace seine
