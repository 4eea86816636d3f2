#include "cudaGraphs.h"

#include <algorithm>
#include <utility>

#include "cudaBuffer.h"
#include "cudaError.h"
#include "error.h"

namespace seine {
namespace {

/// Sequences that a lane remembers.
constexpr size_t kMost = 8;

}  // namespace

CudaSequence::CudaSequence(std::string what) : content_(std::move(what)) { add(CudaBuffer::freed()); }

void CudaGraphs::run(cudaStream_t stream, const CudaSequence& sequence,
                     const std::function<void()>& enqueue) {
  const auto found = std::find_if(known_.begin(), known_.end(),
                                  [&](const Known& known) { return known.sequence == sequence; });
  if (found == known_.end()) {
    if (known_.size() == kMost) known_.pop_back();
    known_.push_front({sequence, nullptr});
    return enqueue();
  }
  known_.splice(known_.begin(), known_, found);
  if (found->graph == nullptr) found->graph = record(stream, enqueue);
  checkCuda(cudaGraphLaunch(found->graph.get(), stream), "starting a graph");
}

CudaGraphs::Graph CudaGraphs::record(cudaStream_t stream, const std::function<void()>& enqueue) {
  // Of this thread alone: other lanes may allocate and wait meanwhile.
  checkCuda(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "recording a graph");
  cudaGraph_t recorded = nullptr;
  try {
    enqueue();
  } catch (...) {
    // The stream must not go on recording.
    if (cudaStreamEndCapture(stream, &recorded) == cudaSuccess) cudaGraphDestroy(recorded);
    cudaGetLastError();
    throw;
  }
  checkCuda(cudaStreamEndCapture(stream, &recorded), "recording a graph");
  cudaGraphExec_t graph = nullptr;
  const cudaError_t status = cudaGraphInstantiate(&graph, recorded, 0);
  cudaGraphDestroy(recorded);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    throw Error("ERR_OUT_OF_MEMORY",
                "A recorded search could not be kept on the CUDA device: its memory is used up.");
  }
  checkCuda(status, "recording a graph");
  return Graph(graph);
}

}  // namespace seine
