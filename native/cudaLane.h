// A thread of a CUDA device with a stream, on which ops run one after the other: its waits hold up neither
// the event loop nor the pool nor other lanes.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <functional>
#include <optional>

#include "cudaBuffer.h"
#include "cudaError.h"
#include "cudaGraphs.h"
#include "error.h"

namespace seine {

class CudaDevice;

/// What can be copied at once.
constexpr size_t kStagedBytes = 4 << 20;
/// What comes back of a pass is copied whole, with the room that was not taken, where that is at most so
/// large: one wait in place of two for each query, and calls that can be recorded.
constexpr size_t kWholeBytes = 1 << 20;

/// Memory that the ops of a lane take one after the other; it grows and is kept while rows are on the device.
struct CudaScratch {
  CudaBuffer queries, bounds, passing, lows, highs, histogram, selections, candidates;
  CudaBuffer exchange;  // what a search's passes take and give, packed
  CudaBuffer stack, intervals, total;
  CudaBuffer documents, offsets, best, longest, lowSums, highSums;
  CudaGraphs graphs;  // over this memory and that of rows
};

class CudaLane {
 public:
  /// Starts the thread; the lane lives as long as the process.
  explicit CudaLane(CudaDevice& device);

  /// Runs `work`, which must not throw, on the thread after all work posted before.
  void post(std::function<void()> work);
  /// Work that has been posted and has not ended.
  size_t waiting() const;

  // What follows is for work on the lane's thread.

  /// Runs `op`, which may be run twice, with all of the lane started; returns what it threw, if anything.
  /// When this returns nothing of the op is under way. Memory that ran out on the host is told by `what` was
  /// done. Where it ran out on the device, the op runs once more after the other lanes have given up theirs.
  std::optional<Error> run(const char* what, const std::function<void()>& op);

  cudaStream_t stream() const { return stream_; }
  /// The largest grid that is useful.
  unsigned blocks() const;
  /// Copies to the device, in order with the stream's work; `from` may be reused at once.
  void upload(void* to, const void* from, size_t bytes);
  /// Copies to the host and waits for it.
  void download(void* to, const void* from, size_t bytes);

  // Copies that can be recorded (`scratch.graphs`), of one pass at a time.

  /// Pinned memory for what `copyUp` copies, kStagedBytes at most; nothing reads it any more.
  char* staged();
  /// Enqueues a copy of the first bytes of `staged()`.
  void copyUp(void* to, size_t bytes);
  /// Enqueues a copy to `copied()`, kStagedBytes at most.
  void copyDown(const void* from, size_t bytes);
  /// What was copied, once the stream was waited for, until the next `upload` or `download`.
  const char* copied() const;

  /// Waits for the stream. What it wrote is there for other lanes only after that.
  void synchronize();

  CudaScratch scratch;

 private:
  [[noreturn]] void work();
  void start();
  std::optional<Error> attempt(const char* what, const std::function<void()>& op);

  CudaDevice& device_;
  struct Queue;
  Queue* const queue_;
  cudaStream_t stream_ = nullptr;
  /// Pinned, in parts that take turns.
  char* staging_ = nullptr;
  cudaEvent_t copied_[2] = {};
  unsigned part_ = 0;
};

}  // namespace seine
