#include "graphsTest.h"

#include <cuda_runtime.h>

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "../../../native/cudaGraphs.h"
#include "../../../native/cudaDevice.h"
#include "deviceCalls.h"
#include "emulationTest.h"

namespace {

using namespace seine;

/// A lane remembers eight, and two lanes search.
constexpr size_t kMostKept = 2 * 8;

/// The emulated runtime: what is recorded does not run, and what no graph can do is found.
void testRecording() {
  emulation::Stream stream{machine().gpus[0].get()};
  cudaSetDevice(0);
  void* memory = nullptr;
  void* pinned = nullptr;
  cudaMalloc(&memory, 4);
  cudaMallocHost(&pinned, 4);
  uint32_t& value = *static_cast<uint32_t*>(pinned);
  cudaMemsetAsync(memory, 1, 4, &stream);
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t instance = nullptr;
  cudaStreamBeginCapture(&stream, cudaStreamCaptureModeThreadLocal);
  cudaMemcpyAsync(pinned, memory, 4, cudaMemcpyDeviceToHost, &stream);
  cudaMemsetAsync(memory, 2, 4, &stream);
  value = 0;
  bool right = cudaStreamEndCapture(&stream, &graph) == cudaSuccess;
  cudaStreamSynchronize(&stream);
  check(right && value == 0, "what is recorded does not run");
  cudaGraphInstantiate(&instance, graph, 0);
  cudaGraphLaunch(instance, &stream);
  cudaStreamSynchronize(&stream);
  right = value == 0x01010101;
  cudaGraphLaunch(instance, &stream);
  cudaStreamSynchronize(&stream);
  check(right && value == 0x02020202, "it runs in order each time that it is started");
  cudaGraphDestroy(graph);
  cudaGraphExecDestroy(instance);
  const auto breaks = [&](const char* what, const std::function<cudaError_t()>& call) {
    cudaStreamBeginCapture(&stream, cudaStreamCaptureModeThreadLocal);
    const bool refused = call() == cudaErrorStreamCaptureUnsupported;
    const bool ended = cudaStreamEndCapture(&stream, &graph) == cudaErrorStreamCaptureInvalidated;
    check(refused && ended && graph == nullptr, std::string("nothing can be recorded that ") + what);
  };
  void* more = nullptr;
  emulation::Event event;
  breaks("waits for a stream", [&] { return cudaStreamSynchronize(&stream); });
  breaks("waits for an event", [&] { return cudaEventSynchronize(&event); });
  breaks("marks a place for others", [&] { return cudaEventRecord(&event, &stream); });
  breaks("allocates", [&] { return cudaMalloc(&more, 4); });
  breaks("frees", [&] { return cudaFree(memory); });
  check(cudaStreamEndCapture(&stream, &graph) == cudaErrorIllegalState, "an end without a beginning is found");
  cudaFree(memory);
}

/// Rows on the device and beside it.
struct Kept {
  std::unique_ptr<Rows> rows;
  Metric metric;
  size_t dim;
  std::vector<float> data;
  size_t count() const { return data.size() / dim; }
};

Kept keep(Backend& backend, Metric metric, size_t dim) {
  return {backend.createRows(dim, metric, Dtype::f32, 0, true), metric, dim, {}};
}

std::string more(Kept& kept, size_t rows, unsigned seed) {
  const std::vector<float> data = draw(rows * kept.dim, seed);
  kept.data.insert(kept.data.end(), data.begin(), data.end());
  return append(*kept.rows, data, kept.dim);
}

/// Whether the first `count` rows are searched exactly, those of `allowed` if it is not empty.
bool isRight(const Kept& kept, size_t q, size_t k, size_t count, unsigned seed,
             const std::vector<uint32_t>& allowed = {}) {
  const auto task = taskOf(draw(q * kept.dim, seed), kept.dim, k, count);
  task->allowed = allowed;
  if (!allowed.empty()) task->passing = 0;
  for (const uint32_t word : allowed) task->passing += static_cast<size_t>(__builtin_popcount(word));
  return search(*kept.rows, task).empty() && isExact(*task, kept.metric, kept.data, kept.dim);
}

/// The same search with other queries is recorded once a lane, and started from then on.
void testStarts(Backend& backend) {
  Kept kept = keep(backend, Metric::ip, 24);
  more(kept, 500, 1);
  // By codes, and by rows since k is large.
  for (const size_t k : {5, 100}) {
    const size_t starts = machine().starts, instances = machine().instances, launches = machine().launches.size();
    bool right = true;
    for (unsigned i = 0; i < 12; i++) right = isRight(kept, 3, k, 500, i) && right;
    check(right, "searches that are recorded are exact");
    // The first one of each lane is not, nor that which meets memory that the other one has freed to grow.
    check(machine().starts - starts >= 8, "they are started by one call");
    check(machine().instances - instances <= 3, "they are recorded once");
    const size_t each = k == 5 ? 8 : 2 + 6 + 1;
    check(machine().launches.size() - launches == 12 * each, "and launch what others do");
  }
  // Each of a width of its own, the largest first so that no memory grows: more than a lane remembers.
  bool right = true;
  for (size_t width = 20; width > 0; width--) {
    for (unsigned i = 0; i < 4; i++) right = isRight(kept, width, 5, 500, i) && right;
  }
  check(right, "searches of many widths are exact");
  check(machine().graphs <= kMostKept, std::to_string(machine().graphs) + " graphs are kept");
}

/// Whatever changed between two searches, each is that of its rows, its filter and its queries.
void testChanges(Backend& backend) {
  std::mt19937 random(5);
  std::vector<Kept> all;
  bool right = true;
  for (unsigned step = 0; step < 100; step++) {
    const unsigned kind = all.empty() ? 0 : random() % 10;
    if (kind == 0) {
      // As large as one that went before: at its address, maybe.
      if (all.size() == 2) all.erase(all.begin());
      all.push_back(keep(backend, random() % 2 == 0 ? Metric::ip : Metric::l2, 16));
      right = more(all.back(), 320, step).empty() && right;
      continue;
    }
    Kept& kept = all[random() % all.size()];
    if (kind == 1) {
      right = more(kept, 1 + random() % 40, step).empty() && right;
      continue;
    }
    const size_t count = kind == 2 ? kept.count() - random() % 30 : kept.count();
    const size_t q = random() % 2 == 0 ? 2 : 9, k = random() % 2 == 0 ? 3 : 40;
    std::vector<uint32_t> allowed;
    if (kind >= 7) {
      allowed.assign((count + 31) / 32, 0);
      for (uint32_t& word : allowed) word = random() | random();
      if (count % 32 != 0) allowed.back() &= (1u << (count % 32)) - 1;
    }
    for (unsigned i = 0; i < 3; i++) {
      const bool exact = isRight(kept, q, k, count, 1000 + step * 3 + i, allowed);
      if (!exact) std::printf("step %u, kind %u, time %u\n", step, kind, i);
      right = exact && right;
    }
  }
  check(right, "searches between changes of rows, filters and memory are exact");
  check(machine().graphs <= kMostKept, std::to_string(machine().graphs) + " graphs are kept");
}

/// As many other rows in the same form are searched by the same calls, but for where the rows lie.
void testOthers(Backend& backend) {
  Kept kept[] = {keep(backend, Metric::ip, 16), keep(backend, Metric::ip, 16)};
  for (unsigned i = 0; i < 2; i++) more(kept[i], 320, 20 + i);
  // By codes, and by rows since k is large.
  for (const size_t k : {3, 100}) {
    bool right = true;
    for (unsigned i = 0; i < 12; i++) right = isRight(kept[i / 6], 2, k, 320, i) && right;
    for (unsigned i = 0; i < 12; i++) right = isRight(kept[i % 2], 2, k, 320, i) && right;
    check(right, "what is recorded over some rows is not started for others");
  }
}

/// What frees memory makes every sequence another one: its address may be given to something else.
void testFrees() {
  const auto same = [](const CudaSequence& before) { return before == CudaSequence("it").add(size_t{7}); };
  const CudaSequence before = CudaSequence("it").add(size_t{7});
  check(same(before), "a sequence is what it was");
  check(!(before == CudaSequence("it").add(size_t{8})), "one with another argument is not");
  CudaBuffer(16, "memory");
  check(!same(before), "nor is one from before memory was freed");
}

}  // namespace

void testGraphs() {
  testRecording();
  std::unique_ptr<Backend> backend;
  check(open(backend).empty(), "the device opens");
  testStarts(*backend);
  testChanges(*backend);
  testOthers(*backend);
  drain();
  check(machine().graphs == 0, "disposed rows leave no graphs");
  testFrees();
}
