// The ops on scores on the CUDA device's thread. Throw Error; false if JavaScript's arrays are gone.
#pragma once

#include "backend.h"
#include "cudaDevice.h"

namespace seine {

bool selectOnCuda(CudaDevice& device, SelectTask& task);
bool mergeOnCuda(CudaDevice& device, MergeTask& task);

}  // namespace seine
