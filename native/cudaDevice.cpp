#include "cudaDevice.h"

#include <algorithm>
#include <map>

namespace seine {
namespace {

constexpr int kLeastMajor = 8;  // compute capability

std::string version(int number) {
  return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
}

std::string capability(const cudaDeviceProp& properties) {
  return std::to_string(properties.major) + "." + std::to_string(properties.minor);
}

Error unavailable(const std::string& why) { return Error("ERR_DEVICE_UNAVAILABLE", why); }

/// Number of devices, if a driver is there that can run this build.
int countDevices() {
  int driver = 0, runtime = 0, count = 0;
  cudaRuntimeGetVersion(&runtime);
  if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0) {
    cudaGetLastError();
    throw unavailable("no NVIDIA driver was found: install one for CUDA " + version(runtime) + " or newer");
  }
  const cudaError_t status = cudaGetDeviceCount(&count);
  cudaGetLastError();
  if (status == cudaErrorInsufficientDriver) {
    throw unavailable("the NVIDIA driver is too old: it runs CUDA " + version(driver) +
                      ", this build needs CUDA " + version(runtime) + ": update the driver");
  }
  if (status == cudaErrorNoDevice || (status == cudaSuccess && count == 0)) {
    throw unavailable(
        "the NVIDIA driver shows no GPU: if there is one, check CUDA_VISIBLE_DEVICES and the permissions of "
        "/dev/nvidia*");
  }
  if (status != cudaSuccess) {
    throw unavailable(std::string("the NVIDIA driver failed: ") + cudaGetErrorString(status) +
                      ": check what nvidia-smi says");
  }
  return count;
}

cudaDeviceProp propertiesOf(int ordinal) {
  cudaDeviceProp properties = {};
  checkCuda(cudaGetDeviceProperties(&properties, ordinal), "reading a device's properties");
  return properties;
}

}  // namespace

CudaDevice& CudaDevice::first() {
  const int count = countDevices();
  std::string seen;
  for (int ordinal = 0; ordinal < count; ordinal++) {
    const cudaDeviceProp properties = propertiesOf(ordinal);
    if (properties.major >= kLeastMajor) return get(ordinal);
    seen += std::string(seen.empty() ? "" : ", ") + properties.name + " (" + capability(properties) + ")";
  }
  throw unavailable("the GPU is too old: compute capability 8.0 or newer is needed, found " + seen);
}

CudaDevice& CudaDevice::get(int ordinal) {
  // Never destroyed: their threads outlive static destructors.
  static std::mutex mutex;
  static auto* const devices = new std::map<int, std::unique_ptr<CudaDevice>>;
  std::lock_guard lock(mutex);
  const auto found = devices->find(ordinal);
  if (found != devices->end()) return *found->second;
  const int count = countDevices();
  const std::string name = "CUDA device " + std::to_string(ordinal);
  if (ordinal >= count) {
    throw unavailable(name + " is not there: the driver shows " + std::to_string(count) +
                      ", counted from 0; check CUDA_VISIBLE_DEVICES");
  }
  const cudaDeviceProp properties = propertiesOf(ordinal);
  if (properties.major < kLeastMajor) {
    throw unavailable(name + " is too old: compute capability 8.0 or newer is needed, found " +
                      properties.name + " (" + capability(properties) + ")");
  }
  auto device = std::unique_ptr<CudaDevice>(new CudaDevice(ordinal, properties));
  return *devices->emplace(ordinal, std::move(device)).first->second;
}

CudaDevice::CudaDevice(int ordinal, const cudaDeviceProp& properties)
    : ordinal_(ordinal),
      description_(std::string(properties.name) + ", compute capability " + capability(properties) + ", " +
                   std::to_string(properties.totalGlobalMem >> 20) + " MiB"),
      blocks_(static_cast<unsigned>(properties.multiProcessorCount) * 8) {
  for (auto& lane : lanes_) lane = std::make_unique<CudaLane>(*this);
}

CudaLane& CudaDevice::freeLane() {
  return **std::min_element(lanes_.begin() + 1, lanes_.end(),
                            [](auto& a, auto& b) { return a->waiting() < b->waiting(); });
}

std::optional<Error> CudaDevice::lost() const {
  std::lock_guard lock(mutex_);
  return lost_;
}

Error CudaDevice::lose(const Error& error) {
  std::lock_guard lock(mutex_);
  if (!lost_) lost_ = error;
  return *lost_;
}

void CudaDevice::enter() {
  std::lock_guard lock(mutex_);
  residents_++;
}

void CudaDevice::leave() {
  {
    std::lock_guard lock(mutex_);
    if (--residents_ > 0) return;
  }
  alone([] {});
}

void CudaDevice::besideOthers(const std::function<void()>& op) {
  std::shared_lock turn(turns_, std::defer_lock);
  {
    std::lock_guard gate(gate_);
    turn.lock();
  }
  op();
}

void CudaDevice::alone(const std::function<void()>& op) {
  std::lock_guard gate(gate_);
  std::unique_lock turn(turns_);
  for (auto& lane : lanes_) lane->scratch = CudaScratch();
  op();
}

}  // namespace seine
