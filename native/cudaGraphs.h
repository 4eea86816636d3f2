// Sequences of a lane's copies and launches, recorded so that one call starts them: a search of few rows
// takes less time than the calls that start its kernels.
#pragma once

#include <cuda_runtime.h>

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace seine {

/// Says which sequence it is: everything that its calls are given. Two of the same content are the same
/// calls.
class CudaSequence {
 public:
  /// `what` it does, with the device's memory as it is: once any of it was freed no sequence is what it was.
  explicit CudaSequence(std::string what);

  /// `value` must have been zeroed whole before its members were set: what pads it is compared, too.
  template <typename T>
  CudaSequence& add(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    content_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  template <typename T>
  CudaSequence& add(const std::vector<T>& values) {
    add(values.size());
    for (const T& value : values) add(value);
    return *this;
  }

  bool operator==(const CudaSequence&) const = default;

 private:
  std::string content_;
};

class CudaGraphs {
 public:
  /// Has `enqueue` make its calls on the stream, or starts what they were when they were recorded: the second
  /// time that there is such a sequence. `enqueue` must neither wait nor allocate. Throws Error.
  void run(cudaStream_t stream, const CudaSequence& sequence, const std::function<void()>& enqueue);

 private:
  struct End {
    void operator()(cudaGraphExec_t graph) const { cudaGraphExecDestroy(graph); }
  };
  using Graph = std::unique_ptr<std::remove_pointer_t<cudaGraphExec_t>, End>;
  struct Known {
    CudaSequence sequence;
    Graph graph;  // none at first: what comes once is not worth it
  };

  static Graph record(cudaStream_t stream, const std::function<void()>& enqueue);

  std::list<Known> known_;  // the last one first
};

}  // namespace seine
