// What the CUDA runtime reports, as errors of Seine.
#pragma once

#include <cuda_runtime.h>

namespace seine {

/// Throws Error if a call of the CUDA runtime failed while `what` was done: ERR_DEVICE_LOST where it broke
/// the device's context, so that every later call fails, too; else ERR_DEVICE, after which the next call
/// works.
void checkCuda(cudaError_t status, const char* what);

}  // namespace seine
