#pragma once

#include "backend.h"
#include "cudaRows.h"

namespace seine {

/// Canonical scores of pairs on the CUDA device, on its thread; `count` rows are there. Throws Error.
void rescoreOnCuda(CudaLane& lane, const CudaRows& rows, const Layout& layout, size_t count,
                   RescoreTask& task);

}  // namespace seine
