// The scan of documents by maxsim on the CUDA device.
#pragma once

#include <functional>
#include <vector>

#include "../kernels/bound.h"
#include "alignedArray.h"
#include "backend.h"
#include "cudaRows.h"

namespace seine {

/// Of each query the documents that may be among its k best, rising. `tokens` [vectors, stride] are those of
/// all queries, `bounds` [vectors] theirs by `tokenSummation`. Less once `stopped`. On the lane's thread;
/// throws Error.
std::vector<std::vector<uint32_t>> scanDocumentsOnCuda(CudaLane& lane, const CudaRows& rows,
                                                       const Layout& layout, const SearchTask& task,
                                                       const AlignedFloats& tokens,
                                                       const std::vector<Bound>& bounds,
                                                       const std::function<bool()>& stopped);

}  // namespace seine
