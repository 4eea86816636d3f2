#include "rescore.cuh"
#include "scanGrid.cuh"
#include "scanNumbers.cuh"

namespace seine::cuda {
namespace {

/// Float64 sums of a pair in index order. Every operation is rounded for itself: no fused multiply-add.
template <Metric kMetric>
struct Sums {
  double sum = 0, querySquares = 0, rowSquares = 0;

  __device__ void add(float q, float x) {
    if constexpr (kMetric == Metric::l2) {
      const double difference = __dsub_rn(q, x);
      sum = __dadd_rn(sum, __dmul_rn(difference, difference));
    } else {
      sum = __dadd_rn(sum, __dmul_rn(q, x));
    }
    if constexpr (kMetric == Metric::cosine) {
      querySquares = __dadd_rn(querySquares, __dmul_rn(q, q));
      rowSquares = __dadd_rn(rowSquares, __dmul_rn(x, x));
    }
  }
  __device__ void add(float4 q, float4 x) {
    add(q.x, x.x);
    add(q.y, x.y);
    add(q.z, x.z);
    add(q.w, x.w);
  }
  __device__ void add(uint4 q, uint4 x) {
    sum += __popc(q.x ^ x.x) + __popc(q.y ^ x.y) + __popc(q.z ^ x.z) + __popc(q.w ^ x.w);
  }

  __device__ double exact() const {
    if constexpr (kMetric == Metric::cosine) {
      const double norms = __dmul_rn(__dsqrt_rn(querySquares), __dsqrt_rn(rowSquares));
      return norms == 0 ? 0 : __ddiv_rn(sum, norms);
    }
    return sum;
  }
};

/// `weights` [1 + count], `features` [count].
__device__ inline double weighted(double similarity, const float* weights, const float* features,
                                  size_t count) {
  double total = __dmul_rn(weights[0], similarity);
  for (size_t i = 0; i < count; i++) total = __dadd_rn(total, __dmul_rn(weights[1 + i], features[i]));
  return total;
}

/// A thread a pair. What pads rows and queries adds zeros, which change no sum.
template <Dtype kDtype, Metric kMetric>
__global__ void __launch_bounds__(kThreads, 2) rescorePairs(Rescoring rescoring, Slab slab) {
  using Form = Numbers<kDtype>;
  const size_t chunks = rescoring.chunks;
  const auto* const queries = static_cast<const typename Form::Part*>(rescoring.queryValues);
  const auto* const rows = static_cast<const uint4*>(slab.rows);
  const size_t threads = static_cast<size_t>(gridDim.x) * kThreads;
  for (size_t pair = static_cast<size_t>(blockIdx.x) * kThreads + threadIdx.x; pair < rescoring.pairs;
       pair += threads) {
    const size_t id = rescoring.pairRows[pair];
    if (id < slab.first || id - slab.first >= slab.count) continue;
    const size_t row = id - slab.first;
    const float scale = kDtype == Dtype::int8 ? slab.scales[row] : 1;
    const auto* const query = queries + rescoring.pairQueries[pair] * chunks * Form::kParts;
    Sums<kMetric> sums;
    for (size_t chunk = 0; chunk < chunks; chunk++) {
      const uint4 codes = rows[row * chunks + chunk];
#pragma unroll
      for (unsigned part = 0; part < Form::kParts; part++) {
        sums.add(query[chunk * Form::kParts + part], Form::part(codes, part, scale));
      }
    }
    double exact = sums.exact();
    if (rescoring.features > 0) {
      exact = weighted(exact, rescoring.weights + rescoring.pairQueries[pair] * (1 + rescoring.features),
                       slab.features + row * rescoring.features, rescoring.features);
    }
    const float rounded = __double2float_rn(exact);
    rescoring.scores[pair] = rounded == 0 ? 0.0f : rounded;  // -0 as 0
  }
}

template <Dtype kDtype>
cudaError_t launchMetric(const Rescoring& rescoring, const Slab& slab, const cudaLaunchConfig_t& grid) {
  switch (rescoring.metric) {
    case Metric::l2:
      return cudaLaunchKernelEx(&grid, rescorePairs<kDtype, Metric::l2>, rescoring, slab);
    case Metric::cosine:
      return cudaLaunchKernelEx(&grid, rescorePairs<kDtype, Metric::cosine>, rescoring, slab);
    default:
      return cudaLaunchKernelEx(&grid, rescorePairs<kDtype, Metric::ip>, rescoring, slab);
  }
}

}  // namespace

cudaError_t launchRescore(const Rescoring& rescoring, const Slab& slab, unsigned blocks,
                          cudaStream_t stream) {
  const cudaLaunchConfig_t grid = config(gridFor(rescoring.pairs, blocks), 1, kThreads, stream);
  switch (rescoring.dtype) {
    case Dtype::f32:
      return launchMetric<Dtype::f32>(rescoring, slab, grid);
    case Dtype::f16:
      return launchMetric<Dtype::f16>(rescoring, slab, grid);
    case Dtype::bf16:
      return launchMetric<Dtype::bf16>(rescoring, slab, grid);
    case Dtype::int8:
      return launchMetric<Dtype::int8>(rescoring, slab, grid);
    default:
      return cudaLaunchKernelEx(&grid, rescorePairs<Dtype::binary, Metric::hamming>, rescoring, slab);
  }
}

}  // namespace seine::cuda
