#include "cudaError.h"

#include <string>

#include "error.h"

namespace seine {
namespace {

/// What broke the context comes back from any call that needs it, whatever its number; other failures do not.
bool contextIsBroken() {
  size_t free = 0, total = 0;
  cudaGetLastError();
  const bool broken = cudaMemGetInfo(&free, &total) != cudaSuccess;
  cudaGetLastError();
  return broken;
}

}  // namespace

void checkCuda(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  int ordinal = 0;
  cudaGetDevice(&ordinal);
  const std::string device = "CUDA device " + std::to_string(ordinal);
  const std::string why = std::string(" at ") + what + ": " + cudaGetErrorString(status) + " (" +
                          cudaGetErrorName(status) + "). ";
  if (contextIsBroken()) {
    throw Error("ERR_DEVICE_LOST", device + " was lost" + why +
                                       "Nothing runs on it until the process is started anew; other devices "
                                       "can be opened meanwhile.");
  }
  throw Error("ERR_DEVICE", device + " failed" + why + "Call again; if it fails again, restart the process.");
}

}  // namespace seine
