// What the selection kernels found, on its way to the host.
#pragma once

#include <functional>
#include <vector>

#include "../kernels/scan.cuh"
#include "cudaLane.h"

namespace seine {

/// Finds the k-th highest of each query's `pass.lows`: all launches of the selection. `pass.histogram` must
/// be zeros. Throws Error.
void selectLows(CudaLane& lane, const cuda::Pass& pass);

/// Of each query of the pass, after `selectLows`: the slots, rising, whose upper bound reaches the
/// k-th lower one. There is room for `capacity` at first; if more are found it grows. Empty once `stopped`.
/// Throws Error.
std::vector<std::vector<uint32_t>> collectSlots(CudaLane& lane, cuda::Pass pass, CudaBuffer& candidates,
                                                size_t capacity, const std::function<bool()>& stopped);

}  // namespace seine
