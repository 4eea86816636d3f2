// Documents on the emulated CUDA device: answers, bytes moved, and that the k best alone are ranked.
#include "maxsimTest.h"

#include <cuda_runtime.h>

#include <algorithm>

#include "../../../kernels/canonical.h"
#include "../../../kernels/maxsim.cuh"
#include "deviceCalls.h"
#include "emulationTest.h"

namespace {

using namespace seine;

/// Documents of 7 to 18 tokens: where those of each begin, and the end.
std::vector<uint32_t> documentsOf(size_t count) {
  std::vector<uint32_t> starts(count + 1);
  for (size_t i = 0; i < count; i++) starts[i + 1] = starts[i] + 7 + static_cast<uint32_t>(i * 5 % 12);
  return starts;
}

std::shared_ptr<SearchTask> searchOf(const std::vector<uint32_t>& documents, std::vector<uint32_t> offsets,
                                   size_t dim, size_t k) {
  auto task = std::make_shared<SearchTask>();
  task->queries = draw(offsets.back() * dim, 7);
  task->q = offsets.size() - 1;
  task->offsets = std::move(offsets);
  task->documents = documents;
  task->k = k;
  task->count = task->passing = documents.size() - 1;
  return task;
}

/// Whether the task holds what scoring and sorting all documents gives.
bool isRanked(const SearchTask& task, const std::vector<float>& data, size_t dim) {
  for (size_t query = 0; query < task.q; query++) {
    std::vector<uint64_t> keys;
    const uint32_t token = task.offsets[query];
    for (uint32_t document = 0; document < task.count; document++) {
      std::vector<const float*> tokens;
      for (size_t row = task.documents[document]; row < task.documents[document + 1]; row++) {
        tokens.push_back(&data[row * dim]);
      }
      const float score = canonicalMaxsim(&task.queries[token * dim], task.offsets[query + 1] - token,
                                          tokens.data(), tokens.size(), dim);
      keys.push_back(orderKey(false, score, document));
    }
    std::sort(keys.begin(), keys.end());
    for (size_t i = 0; i < task.k; i++) {
      if (task.ids[query * task.k + i] != keyRow(keys[i])) return false;
      if (task.scores[query * task.k + i] != keyScore(false, keys[i])) return false;
    }
  }
  return true;
}

/// Documents in which slabs may end are the best by tokens that lie before that.
void testSlabEnds(Backend& backend) {
  constexpr size_t kDim = 16;
  const std::vector<uint32_t> documents = documentsOf(300);
  const size_t rows = documents.back();
  const auto task = searchOf(documents, {0, 4}, kDim, 0);
  std::vector<float> data = draw(rows * kDim, 8);
  for (size_t i = 0; i + 1 < documents.size(); i++) {
    const size_t end = (documents[i] / cuda::kSlabAlign + 1) * cuda::kSlabAlign;
    if (end >= documents[i + 1]) continue;
    task->k++;
    for (size_t j = 0; j < kDim; j++) data[documents[i] * kDim + j] = 8 * task->queries[j];
  }
  auto resident = backend.createRows(kDim, Metric::ip, Dtype::f32, 0, false);
  size_t from = 0;
  for (const size_t end : {rows / 3, rows / 3 + 40, rows}) {
    append(*resident, {data.begin() + from * kDim, data.begin() + end * kDim}, kDim);
    from = end;
  }
  check(search(*resident, task).empty() && isRanked(*task, data, kDim),
        std::to_string(task->k) + " documents keep what they had when a slab ends");
}

}  // namespace

/// kernels/README.md: the tokens of each document once for all tokens of a tile.
void testMaxsim(Backend& backend) {
  testSlabEnds(backend);
  constexpr size_t kDim = 96, kDocuments = 400, kBest = 5;
  const std::vector<uint32_t> documents = documentsOf(kDocuments);
  const size_t rows = documents.back();
  auto resident = backend.createRows(kDim, Metric::ip, Dtype::f32, 0, false);
  std::vector<float> data;
  // Slabs end within documents.
  for (const size_t end : {rows / 3, rows / 3 + 40, rows}) {
    const std::vector<float> more = draw(end * kDim - data.size(), static_cast<unsigned>(end));
    check(append(*resident, more, kDim).empty(), "tokens are appended");
    data.insert(data.end(), more.begin(), more.end());
  }
  const auto run = [&](const std::vector<uint32_t>& offsets) {
    const auto task = searchOf(documents, offsets, kDim, kBest);
    const double moved = static_cast<double>(bytesMoved(*resident, task));
    check(isRanked(*task, data, kDim), "documents are ranked exactly");
    const double queries = static_cast<double>(task->q), tokens = offsets.back();
    const double tiles = std::ceil(tokens / cuda::kTokenTile);
    // Numbers and lengths of the tokens; best scores, written and read; the selection, and its bins.
    const double least = tiles * static_cast<double>(rows) * (4.0 * kDim + 4) +
                         kDocuments * (8.0 * tokens + 28.0 * queries) +
                         queries * 3 * 2 * sizeof(uint32_t) * cuda::kBins;
    const double share = moved / least;
    check(share > 0.95 && share <= 1.05,
          std::to_string(offsets.back()) + " tokens move " + std::to_string(share) + " of the bytes");
    const size_t collected = machine().launches.back().written / sizeof(uint32_t);
    check(collected >= task->q * kBest && collected <= task->q * (kBest + 2),
          "hardly more documents are collected than the k best");
  };
  run({0, 1});
  run({0, 32});
  run({0, 20, 64});
  run({0, 3, 75, 130});
  const auto silent = searchOf(documents, {0, 20, 20, 64}, kDim, kBest);
  check(search(*resident, silent).empty() && isRanked(*silent, data, kDim),
        "a query without tokens ranks by number");
  const auto some = searchOf(documents, {0, 32}, kDim, kBest);
  some->allowed.assign((kDocuments + 31) / 32, 0);
  for (size_t i = 0; i < kDocuments; i += 8) some->allowed[i / 32] |= 1u << (i % 32);
  some->passing = kDocuments / 8;
  check(static_cast<double>(bytesMoved(*resident, some)) < 0.25 * 4.0 * kDim * static_cast<double>(rows),
        "tokens of documents that do not pass are not read");
}
