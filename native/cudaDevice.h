// A CUDA device of the process: its lanes, on which all of its work runs, and whether it was lost.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>

#include "cudaLane.h"
#include "error.h"

namespace seine {

class CudaDevice {
 public:
  /// The first device that can be used; throws Error with why there is none. Call on any thread.
  static CudaDevice& first();
  /// The device with a number of the driver's; throws Error if it is not there or cannot be used.
  static CudaDevice& get(int ordinal);

  /// Where rows and columns are written, in the order of the calls, and their memory is freed.
  CudaLane& writeLane() { return *lanes_[0]; }
  /// Where the rest runs: of the others the lane with the least work.
  CudaLane& freeLane();

  int ordinal() const { return ordinal_; }
  unsigned blocks() const { return blocks_; }
  /// For people.
  const std::string& description() const { return description_; }

  /// Why nothing can run on it any more, once that is so.
  std::optional<Error> lost() const;
  /// Remembers the first such error and returns it.
  Error lose(const Error& error);

  /// Counts the rows and columns on the device; with the last ones the lanes' scratch goes, too.
  void enter();
  void leave();

  /// Runs `op` on a lane while other lanes may run theirs.
  void besideOthers(const std::function<void()>& op);
  /// Waits for the ops of other lanes, frees the scratch of all and runs `op` before the next.
  void alone(const std::function<void()>& op);

 private:
  CudaDevice(int ordinal, const cudaDeviceProp& properties);

  const int ordinal_;
  const std::string description_;
  /// Enough to fill it.
  const unsigned blocks_;
  /// Two for searches: one computes while the other waits for its results.
  std::array<std::unique_ptr<CudaLane>, 3> lanes_;

  mutable std::mutex mutex_;
  std::optional<Error> lost_;
  size_t residents_ = 0;

  /// Held for a moment by whoever comes, and by an op that waits to be alone: it comes next.
  std::mutex gate_;
  std::shared_mutex turns_;
};

}  // namespace seine
