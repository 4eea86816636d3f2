// The ops on scores on the thread of a lane. Throw Error; false if JavaScript's arrays are gone.
#pragma once

#include "backend.h"
#include "cudaLane.h"

namespace seine {

bool selectOnCuda(CudaLane& lane, SelectTask& task);
bool mergeOnCuda(CudaLane& lane, MergeTask& task);

}  // namespace seine
