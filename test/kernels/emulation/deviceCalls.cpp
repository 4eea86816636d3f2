#include "deviceCalls.h"

#include <algorithm>
#include <future>
#include <random>

#include "../../../kernels/canonical.h"
#include "../../../native/cudaDevice.h"
#include "emulationTest.h"

using namespace seine;

std::string ended(const std::function<void(Done done)>& call) {
  const auto end = std::make_shared<std::promise<std::string>>();
  try {
    call([end](std::optional<Error> failure) {
      end->set_value(failure ? std::string(failure->code()) + " " + failure->what() : "");
    });
  } catch (const Error& error) {
    return std::string(error.code()) + " " + error.what();
  }
  return end->get_future().get();
}

std::vector<float> draw(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> result(count);
  for (float& value : result) value = normal(random);
  return result;
}

std::string open(std::unique_ptr<Backend>& backend, std::vector<int> devices) {
  const auto opened = std::make_shared<std::unique_ptr<Backend>>();
  const std::string failure = ended([&](Done done) { openCuda(2, devices, 32, opened, done); });
  backend = std::move(*opened);
  return failure;
}

std::string append(Rows& rows, const std::vector<float>& data, size_t dim,
                   const std::vector<float>& features) {
  const auto* const numbers = reinterpret_cast<const uint8_t*>(data.data());
  const StoredRows stored = {numbers, nullptr, data.size() / dim, features.data()};
  return ended(
      [&](Done done) { rows.append(Borrowed<StoredRows>(std::make_shared<Lease>(), stored), done); });
}

std::string search(Rows& rows, const std::shared_ptr<SearchTask>& task) {
  return ended([&](Done done) { rows.search(task, done); });
}

std::string writeColumn(Rows& rows, size_t array, size_t at, const std::vector<uint32_t>& words) {
  const Words given = {const_cast<uint32_t*>(words.data()), words.size()};
  return ended([&](Done done) {
    rows.writeColumn(array, at, Borrowed<Words>(std::make_shared<Lease>(), given), done);
  });
}

std::string filter(Rows& rows, const std::shared_ptr<FilterTask>& task) {
  return ended([&](Done done) { rows.filter(task, done); });
}

std::string rescore(Rows& rows, const std::shared_ptr<RescoreTask>& task) {
  return ended([&](Done done) { rows.rescore(task, done); });
}

std::shared_ptr<SearchTask> taskOf(const std::vector<float>& queries, size_t dim, size_t k, size_t count) {
  auto task = std::make_shared<SearchTask>();
  task->queries = queries;
  task->q = queries.size() / dim;
  task->k = k;
  task->count = task->passing = count;
  return task;
}

bool isExact(const SearchTask& task, Metric metric, const std::vector<float>& data, size_t dim) {
  for (size_t query = 0; query < task.q; query++) {
    std::vector<uint64_t> keys;
    const float* const q = &task.queries[query * dim];
    for (size_t row = 0; row < task.count; row++) {
      if (!task.allowed.empty() && (task.allowed[row / 32] >> (row % 32) & 1) == 0) continue;
      const auto listed = std::find(task.listed.begin(), task.listed.end(), row);
      if (!task.listed.empty() && listed == task.listed.end()) continue;
      const float* const x = &data[row * dim];
      const double norm = canonicalNorm(x, dim);
      float score;
      canonicalScores(metric, q, canonicalNorm(q, dim), &x, &norm, 1, dim, &score);
      keys.push_back(orderKey(metric, score, static_cast<uint32_t>(row)));
    }
    std::sort(keys.begin(), keys.end());
    for (size_t i = 0; i < task.k; i++) {
      if (task.ids[query * task.k + i] != keyRow(keys[i])) return false;
      if (task.scores[query * task.k + i] != keyScore(metric, keys[i])) return false;
    }
  }
  return true;
}

void drain(int device) {
  const auto done = std::make_shared<std::promise<void>>();
  CudaDevice::get(device).writeLane().post([done] { done->set_value(); });
  done->get_future().get();
}

size_t bytesMoved(Rows& rows, const std::shared_ptr<SearchTask>& task) {
  drain();
  machine().launches.clear();
  check(search(rows, task).empty(), "a search is measured");
  size_t bytes = 0;
  for (const emulation::Launch& launch : machine().launches) bytes += launch.read + launch.written;
  return bytes;
}
