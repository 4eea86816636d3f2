// The certified scan on the CUDA device: finds the rows that may be among the k best from their codes.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "alignedArray.h"
#include "backend.h"
#include "cudaRows.h"

namespace seine {

/// Rows of the sample for each of the k best: with so many about one row in as many survives, where codes
/// leave little open, which is half of what there is room for. So codes pay for k up to one in as many rows.
constexpr size_t kSampleRowsPerBest = 64;

/// Of each query (as prepareQuery writes them, [q, stride]) the rows that may be among its k best, rising;
/// none for those that the codes leave open. On the lane's thread; throws Error.
std::vector<std::optional<std::vector<uint32_t>>> certifyOnCuda(CudaLane& lane, CudaRows& rows,
                                                                const Layout& layout, const SearchTask& task,
                                                                const AlignedFloats& queries,
                                                                const std::function<bool()>& stopped);

}  // namespace seine
