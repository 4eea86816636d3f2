#include "cudaScores.h"

#include <algorithm>
#include <vector>

#include "../kernels/merge.cuh"
#include "../kernels/select.h"
#include "cudaCollect.h"

namespace seine {
namespace {

using cuda::kBins;
using cuda::kPassQueries;
using cuda::Selection;

constexpr const char* kMemory = "The working memory of a selection";
/// Room for scores that tie with the k-th at first.
constexpr size_t kSpare = 1024;

/// One pass of the scan's selection, with scores for both bounds.
struct Selecting {
  Selecting(CudaLane& lane, const SelectTask& task)
      : most(std::min(task.q, size_t{kPassQueries})),
        values(most * task.n * sizeof(float), kMemory),
        histogram(kPassQueries * kBins * sizeof(uint32_t), kMemory),
        selections(kPassQueries * sizeof(Selection), kMemory) {
    checkCuda(cudaMemsetAsync(histogram.as<void>(), 0, histogram.bytes(), lane.stream()), "clearing memory");
  }

  const size_t most;
  CudaBuffer values, histogram, selections, candidates;

  /// Slots of the k highest of each query's `scores` and of those that tie with the last.
  std::vector<std::vector<uint32_t>> run(CudaLane& lane, const SelectTask& task,
                                         const std::vector<float>& scores) {
    Selection wanted[kPassQueries];
    for (Selection& selection : wanted) selection = {0, static_cast<uint32_t>(task.k), 0};
    lane.upload(values.as<void>(), scores.data(), scores.size() * sizeof(float));
    lane.upload(selections.as<void>(), wanted, sizeof wanted);
    cuda::Pass pass = {};
    pass.queries = static_cast<unsigned>(scores.size() / task.n);
    pass.count = task.n;
    pass.lows = pass.highs = values.as<float>();
    pass.histogram = histogram.as<uint32_t>();
    pass.selections = selections.as<Selection>();
    selectLows(lane, pass);
    const size_t room = std::min(task.n, task.k + kSpare);
    return collectSlots(lane, pass, candidates, room, [] { return false; });
  }
};

}  // namespace

bool selectOnCuda(CudaLane& lane, SelectTask& task) {
  Selecting selecting(lane, task);
  std::vector<float> scores, best;
  for (size_t first = 0; first < task.q; first += selecting.most) {
    const size_t queries = std::min(selecting.most, task.q - first);
    const bool there = task.scores.read([&](const Floats& given) {
      scores.assign(given.data + first * task.n, given.data + (first + queries) * task.n);
    });
    if (!there) return false;
    if (task.lowest) {
      for (float& score : scores) score = -score;
    }
    const std::vector<std::vector<uint32_t>> found = selecting.run(lane, task, scores);
    for (size_t i = 0; i < queries; i++) {
      best.clear();
      for (const uint32_t slot : found[i]) best.push_back(scores[i * task.n + slot]);
      // Rising slots, so that their places settle ties as they do.
      uint32_t* const ids = &task.ids[(first + i) * task.k];
      float* const to = &task.best[(first + i) * task.k];
      selectScores(best.data(), best.size(), task.k, false, ids, to);
      for (size_t slot = 0; slot < task.k; slot++) {
        ids[slot] = found[i][ids[slot]];
        if (task.lowest) to[slot] = 0 - to[slot];  // 0 stays 0
      }
    }
  }
  return true;
}

bool mergeOnCuda(CudaLane& lane, MergeTask& task) {
  const size_t words = task.entryCount * sizeof(uint32_t), runs = task.q * task.lists;
  const size_t results = task.q * task.k * sizeof(uint32_t);
  CudaBuffer ids(words, kMemory), scores(words, kMemory), starts((runs + 1) * sizeof(uint32_t), kMemory);
  CudaBuffer bestIds(results, kMemory), best(results, kMemory);
  const bool there = task.entries.read([&](const MergeEntries& entries) {
    lane.upload(ids.as<void>(), entries.ids, words);
    lane.upload(scores.as<void>(), entries.scores, words);
    lane.upload(starts.as<void>(), entries.starts, (runs + 1) * sizeof(uint32_t));
  });
  if (!there) return false;
  const cuda::Merging merging = {ids.as<uint32_t>(),
                                 scores.as<float>(),
                                 starts.as<uint32_t>(),
                                 static_cast<uint32_t>(task.entryCount),
                                 static_cast<uint32_t>(runs),
                                 static_cast<uint32_t>(task.lists),
                                 static_cast<uint32_t>(task.k),
                                 task.lowest,
                                 bestIds.as<uint32_t>(),
                                 best.as<float>()};
  checkCuda(cuda::launchMerge(merging, lane.blocks(), lane.stream()), "starting a kernel");
  lane.download(task.ids.data(), bestIds.as<void>(), results);
  lane.download(task.best.data(), best.as<void>(), results);
  return true;
}

}  // namespace seine
