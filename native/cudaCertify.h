// The certified scan on the CUDA device: finds the rows that may be among the k best from their codes.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "alignedArray.h"
#include "backend.h"
#include "cudaRows.h"

namespace seine {

/// Of each query (as prepareQuery writes them, [q, stride]) the rows that may be among its k best, rising;
/// none for those that the codes leave open. On the lane's thread; throws Error.
std::vector<std::optional<std::vector<uint32_t>>> certifyOnCuda(CudaLane& lane, CudaRows& rows,
                                                                const Layout& layout, const SearchTask& task,
                                                                const AlignedFloats& queries,
                                                                const std::function<bool()>& stopped);

}  // namespace seine
