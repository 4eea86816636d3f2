// Exact scan, first part: float32 scores.
#include "scanGrid.cuh"
#include "scanSums.cuh"

namespace seine::cuda {
namespace {

/// Rows that a group of lanes scores side by side, so that their loads are under way together.
constexpr unsigned kRows = 4;
/// Rows of at most this many chunks of 16 bytes are scored by 8 lanes each, longer ones by a warp.
constexpr size_t kShortRow = 16;
constexpr unsigned kShortLanes = 8;

/// A group of kLanes lanes scores kRows rows against kQueries queries, neighbouring lanes loading
/// neighbouring 16 bytes. Rows that do not pass are not read. Every lane of a warp takes part in every
/// shuffle.
template <Dtype kDtype, bool kSquared, unsigned kLanes, unsigned kQueries>
__global__ void __launch_bounds__(kThreads, 2) scoreRows(Pass pass, Slab slab) {
  using Form = Numbers<kDtype>;
  constexpr unsigned kSums = kRows * kQueries;
  constexpr unsigned kHeld = kSums / kLanes > 1 ? kSums / kLanes : 1;
  constexpr size_t kWarpRows = kWarp / kLanes * kRows;
  const unsigned lane = threadIdx.x % kLanes;
  const size_t groupRow = threadIdx.x % kWarp / kLanes * kRows;
  const size_t warp = (static_cast<size_t>(blockIdx.x) * kThreads + threadIdx.x) / kWarp;
  const size_t warps = static_cast<size_t>(gridDim.x) * (kThreads / kWarp);
  const size_t chunks = pass.chunks;
  const auto* const queries = static_cast<const typename Form::Part*>(pass.queryValues);
  const auto* const rows = static_cast<const uint4*>(slab.rows);
  bool owns;
  const unsigned firstOwn = firstSum<kLanes, kSums>(lane, owns);
  for (size_t base = warp * kWarpRows; base < slab.count; base += warps * kWarpRows) {
    const size_t first = base + groupRow;
    bool wanted[kRows];
    uint32_t at[kRows];
    float scales[kRows];
    bool any = false;
#pragma unroll
    for (unsigned r = 0; r < kRows; r++) {
      wanted[r] = first + r < slab.count && passes(pass, slab.first + first + r);
      at[r] = wanted[r] ? rowOf(slab, static_cast<uint32_t>(first + r)) : 0;
      scales[r] = kDtype == Dtype::int8 && wanted[r] ? slab.scales[at[r]] : 1;
      any = any || wanted[r];
    }
    if (__ballot_sync(kAll, any) == 0) continue;
    float sums[kSums] = {};
    for (size_t chunk = lane; any && chunk < chunks; chunk += kLanes) {
      uint4 codes[kRows];
#pragma unroll
      for (unsigned r = 0; r < kRows; r++) {
        codes[r] = wanted[r] ? rows[static_cast<size_t>(at[r]) * chunks + chunk] : make_uint4(0, 0, 0, 0);
      }
      addChunk<Form, kSquared>(codes, scales, queries + chunk * Form::kParts, chunks * Form::kParts, sums);
    }
    reduce<1, kLanes>(sums, lane);
    if (!owns) continue;
#pragma unroll
    for (unsigned i = 0; i < kHeld; i++) {
      const unsigned q = (firstOwn + i) % kQueries;
      const size_t slot = first + (firstOwn + i) / kQueries;
      if (q < pass.queries && slot < slab.count) pass.lows[q * pass.count + slab.first + slot] = sums[i];
    }
  }
}

template <Dtype kDtype, bool kSquared, unsigned kLanes>
cudaError_t launchTile(const Pass& pass, const Slab& slab, const cudaLaunchConfig_t& config) {
  switch (queryTile(pass.queries)) {
    case 1:
      return cudaLaunchKernelEx(&config, scoreRows<kDtype, kSquared, kLanes, 1>, pass, slab);
    case 4:
      return cudaLaunchKernelEx(&config, scoreRows<kDtype, kSquared, kLanes, 4>, pass, slab);
    default:
      return cudaLaunchKernelEx(&config, scoreRows<kDtype, kSquared, kLanes, kPassQueries>, pass, slab);
  }
}

template <Dtype kDtype, bool kSquared>
cudaError_t launchLanes(const Pass& pass, const Slab& slab, const cudaLaunchConfig_t& config,
                        unsigned lanes) {
  return lanes == kShortLanes ? launchTile<kDtype, kSquared, kShortLanes>(pass, slab, config)
                              : launchTile<kDtype, kSquared, kWarp>(pass, slab, config);
}

template <Dtype kDtype>
cudaError_t launchMetric(const Pass& pass, const Slab& slab, const cudaLaunchConfig_t& config,
                         unsigned lanes) {
  return pass.metric == Metric::l2 ? launchLanes<kDtype, true>(pass, slab, config, lanes)
                                   : launchLanes<kDtype, false>(pass, slab, config, lanes);
}

unsigned lanesFor(size_t chunks) { return chunks <= kShortRow ? kShortLanes : kWarp; }

}  // namespace

unsigned queryTile(unsigned queries) { return queries == 1 ? 1 : queries <= 4 ? 4 : kPassQueries; }

Summation summation(Dtype dtype, size_t stride) {
  const size_t perChunk = kChunkBytes * 8 / bitsOf(dtype);
  const unsigned lanes = lanesFor(stride / perChunk);
  const size_t step = perChunk * lanes;
  return {(stride + step - 1) / step * step, lanes};
}

cudaError_t launchScores(const Pass& pass, const Slab& slab, unsigned blocks, cudaStream_t stream) {
  const unsigned lanes = lanesFor(pass.chunks);
  const cudaLaunchConfig_t grid =
      config(gridFor((slab.count + kRows - 1) / kRows * lanes, blocks), 1, kThreads, stream);
  switch (pass.dtype) {
    case Dtype::f32:
      return launchMetric<Dtype::f32>(pass, slab, grid, lanes);
    case Dtype::f16:
      return launchMetric<Dtype::f16>(pass, slab, grid, lanes);
    case Dtype::bf16:
      return launchMetric<Dtype::bf16>(pass, slab, grid, lanes);
    case Dtype::int8:
      return launchMetric<Dtype::int8>(pass, slab, grid, lanes);
    default:
      return launchLanes<Dtype::binary, false>(pass, slab, grid, lanes);
  }
}

}  // namespace seine::cuda
