// Calls of the CUDA device that are under way at the same time: none waits for another lane's, and none sees
// what another one's has not finished.
#include "lanesTest.h"

#include <cuda_runtime.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "../../../native/cudaDevice.h"
#include "deviceCalls.h"
#include "emulationTest.h"

namespace {

using namespace seine;

constexpr size_t kDim = 16;

/// Keeps a lane busy from its making to its end.
class Busy {
 public:
  explicit Busy(CudaLane& lane) {
    const auto begun = std::make_shared<std::promise<void>>();
    lane.post([begun, end = end_.get_future().share()] {
      begun->set_value();
      end.wait();
    });
    begun->get_future().get();
  }
  ~Busy() { end_.set_value(); }

 private:
  std::promise<void> end_;
};

void testIndependence(Backend& backend) {
  const auto rows = backend.createRows(kDim, Metric::ip, Dtype::f32, 0, true);
  const std::vector<float> data = draw(200 * kDim, 1);
  append(*rows, data, kDim);
  const auto exact = [&] {
    const auto task = taskOf(draw(kDim, 2), kDim, 20, 200);
    return search(*rows, task).empty() && isExact(*task, Metric::ip, data, kDim);
  };
  CudaDevice& device = CudaDevice::get(0);
  const Busy append(device.writeLane());
  check(exact(), "a search does not wait for an append");
  const Busy other(device.freeLane());
  // A lane notes that it is done only after the caller has heard of it.
  while (device.freeLane().waiting() > 0) std::this_thread::yield();
  check(exact(), "a search does not wait for another one");
}

/// A search that was started, and how it ends.
struct Started {
  std::shared_ptr<SearchTask> task;
  std::future<bool> right;
};

Started startSearch(Rows& rows, const std::shared_ptr<SearchTask>& task) {
  const auto right = std::make_shared<std::promise<bool>>();
  rows.search(task, [right](std::optional<Error> failure) { right->set_value(!failure); });
  return {task, right->get_future()};
}

/// Of all searches started while rows are appended each sees those of its snapshot, and all of them.
void testConcurrency(Backend& backend) {
  constexpr size_t kBatches = 30;
  const auto rows = backend.createRows(kDim, Metric::ip, Dtype::f32, 0, true);
  std::vector<float> data;
  std::vector<uint32_t> codes;
  std::vector<Started> searches;
  size_t wrongFilters = 0;
  for (unsigned batch = 0; batch < kBatches; batch++) {
    // As large as what was last appended, so that the new rows are among the best of the next searches.
    const std::vector<float> more = draw((7 + batch) * kDim, batch);
    append(*rows, more, kDim);
    data.insert(data.end(), more.begin(), more.end());
    const size_t count = data.size() / kDim, before = codes.size();
    for (size_t row = before; row < count; row++) codes.push_back(static_cast<uint32_t>(row % 3));
    writeColumn(*rows, 0, before, {codes.begin() + static_cast<ptrdiff_t>(before), codes.end()});
    for (unsigned i = 0; i < 3; i++) {
      const size_t k = i == 0 ? std::max<size_t>(1, count / 20) : count / 2;
      searches.push_back(startSearch(*rows, taskOf(draw((1 + 4 * i) * kDim, 100 + i), kDim, k, count)));
    }
    const auto task = std::make_shared<FilterTask>();
    task->steps = {{FilterOp::code, 0, 0, 1}};
    task->intervals = {{1, 1}};
    task->depth = 1;
    task->count = count;
    wrongFilters += !filter(*rows, task).empty() || task->passing != (count + 1) / 3;
  }
  size_t wrong = 0;
  for (Started& one : searches) {
    wrong += !one.right.get() || !isExact(*one.task, Metric::ip, data, kDim);
  }
  check(wrong == 0, std::to_string(wrong) + " of " + std::to_string(searches.size()) +
                        " searches at the same time as appends are wrong");
  check(wrongFilters == 0, std::to_string(wrongFilters) + " filters are wrong");
}

/// A column that was written is there, whichever lane reads it: no copy is under way any more.
void testColumns(Backend& backend) {
  const auto rows = backend.createRows(kDim, Metric::ip, Dtype::f32, 0, true);
  size_t late = 0;
  for (unsigned i = 0; i < 40; i++) {
    late += !writeColumn(*rows, 0, i * 10, std::vector<uint32_t>(10, i)).empty();
    const std::lock_guard turn(machine().turn);
    for (const auto& stream : machine().streams) late += !stream->work.empty();
  }
  check(late == 0, std::to_string(late) + " of 40 columns are not there when they were written");
}

/// Memory that other lanes hold for their searches is given back where an op lacks it.
void testShortMemory(Backend& backend) {
  emulation::Gpu& gpu = *machine().gpus[0];
  const auto rows = backend.createRows(kDim, Metric::ip, Dtype::f32, 0, true);
  const std::vector<float> data = draw(4000 * kDim, 1);
  append(*rows, data, kDim);
  drain();
  const size_t without = gpu.allocated;
  std::vector<Started> searches;
  for (unsigned i = 0; i < 6; i++) {
    searches.push_back(startSearch(*rows, taskOf(draw(8 * kDim, i), kDim, 900, 4000)));
  }
  bool right = true;
  for (Started& one : searches) right = one.right.get() && right;
  check(right && gpu.allocated > without, "lanes keep working memory");
  gpu.capacity = gpu.allocated;
  const std::vector<float> more = draw(3000 * kDim, 2);
  check(append(*rows, more, kDim).empty(), "an append takes it if it lacks memory");
  gpu.capacity = size_t{1} << 30;
}

/// Memory of lanes is given back while no op uses any.
void testAlone() {
  CudaDevice& device = CudaDevice::get(0);
  std::promise<void> begun, end;
  std::atomic<bool> inside = false;
  std::thread op([&] {
    device.besideOthers([&] {
      inside = true;
      begun.set_value();
      end.get_future().wait();
      inside = false;
    });
  });
  begun.get_future().wait();
  std::future<bool> beside = std::async(std::launch::async, [&] {
    bool seen = false;
    device.alone([&] { seen = inside; });
    return seen;
  });
  beside.wait_for(std::chrono::milliseconds(200));  // it must not end; what is too early ends sooner
  end.set_value();
  op.join();
  check(!beside.get(), "what gives memory back waits for ops that use it");
}

}  // namespace

void testLanes() {
  std::unique_ptr<Backend> backend;
  check(open(backend).empty(), "the device opens");
  testIndependence(*backend);
  testConcurrency(*backend);
  testColumns(*backend);
  testAlone();
  testShortMemory(*backend);
  check(open(backend, {1, 0}).empty(), "two devices open as one");
  testConcurrency(*backend);
  drain(0);
  drain(1);
  check(machine().gpus[0]->allocated == 0 && machine().gpus[1]->allocated == 0,
        "no memory is left on the devices");
}
