#include "cudaCertify.h"

#include <algorithm>
#include <cstring>

#include "candidates.h"
#include "cudaCollect.h"
#include "weighQuery.h"

namespace seine {
namespace {

using cuda::kCodeQueries;
using cuda::kCodeTile;
using cuda::Selection;
using cuda::Survivor;
using Found = std::optional<std::vector<uint32_t>>;

/// A query is open if more than this share of the rows survives, and so many more.
constexpr size_t kOpenShare = 32;
constexpr size_t kOpenSpare = 1024;
/// One group of rows in so many is in the sample, but so many groups at least, and so many rows for each of
/// the k best. What is sampled costs as much again for each query, so it is less where there are many.
constexpr size_t kSampleShare = 64;
constexpr size_t kWideSampleShare = 128;
constexpr size_t kLeastGroups = 32;
constexpr size_t kSampleRowsPerBest = 16;

/// What a pass uploads.
struct CodedQueries {
  std::vector<uint32_t> fragments;  // [steps, tiles, lanes, 2]
  std::vector<int32_t> surplus;     // [queries]
  std::vector<CodeBound> bounds;    // [queries]
};

CodedQueries encode(const Layout& layout, const SearchTask& task, const AlignedFloats& queries, size_t first,
                    unsigned count) {
  const size_t steps = layout.codeStride / cuda::kCodeStep, tiles = cuda::codeTiles(count);
  CodedQueries coded = {
      std::vector<uint32_t>(steps * tiles * cuda::kFragmentLanes * 2), std::vector<int32_t>(count), {}};
  std::vector<int8_t> codes(layout.codeStride);
  for (unsigned i = 0; i < count; i++) {
    std::fill(codes.begin(), codes.end(), int8_t{0});
    const float* const query = queries.data() + (first + i) * layout.stride;
    coded.bounds.push_back(encodeWeighed(layout, task, first + i, query, false, codes.data()));
    for (const int8_t code : codes) coded.surplus[i] += 128 * code;
    // The lanes 4 j to 4 j + 3 hold query j of a tile.
    const size_t tile = i / kCodeTile, firstLane = i % kCodeTile * 4;
    for (size_t step = 0; step < steps; step++) {
      for (size_t lane = firstLane; lane < firstLane + 4; lane++) {
        for (size_t word = 0; word < 2; word++) {
          const size_t fragment = (step * tiles + tile) * cuda::kFragmentLanes + lane;
          std::memcpy(&coded.fragments[fragment * 2 + word], &codes[cuda::queryWord(step, lane, word) * 4],
                      4);
        }
      }
    }
  }
  return coded;
}

/// One group of rows in how many makes the sample for a pass of so many queries.
size_t sampleEvery(size_t count, size_t k, size_t queries) {
  const size_t groups = (count + kCodeGroup - 1) / kCodeGroup;
  const size_t share = queries > kCodeTile ? kWideSampleShare : kSampleShare;
  const size_t wanted = std::max({groups / share, kLeastGroups, k * kSampleRowsPerBest / kCodeGroup});
  return std::max<size_t>(1, groups / wanted);
}

template <typename T>
void uploadAll(CudaLane& lane, CudaBuffer& buffer, const std::vector<T>& values) {
  growBuffer(buffer, values.size() * sizeof(T));
  lane.upload(buffer.as<void>(), values.data(), values.size() * sizeof(T));
}

/// The rows of a query's survivors that reach the k-th highest of their lower bounds.
std::vector<uint32_t> rowsOf(const std::vector<Survivor>& survivors, size_t k) {
  std::vector<Candidate> candidates;
  for (const Survivor& one : survivors) candidates.push_back({one.low, one.high, one.row});
  std::vector<uint32_t> rows = reachingRows(candidates, k);
  std::sort(rows.begin(), rows.end());
  return rows;
}

/// Queries that a pass may take: fewer than kCodeQueries where there are fewer or where memory is short.
unsigned takeScratch(CudaScratch& scratch, size_t queries, size_t sampleRows, size_t capacity) {
  for (auto most = static_cast<unsigned>(std::min<size_t>(kCodeQueries, queries));; most = (most + 1) / 2) {
    try {
      growBuffer(scratch.histogram, most * cuda::kBins * sizeof(uint32_t));
      growBuffer(scratch.lows, most * sampleRows * sizeof(float));
      growBuffer(scratch.survivors, most * capacity * sizeof(Survivor));
      return most;
    } catch (const Error& error) {
      for (CudaBuffer* buffer : {&scratch.histogram, &scratch.lows, &scratch.survivors}) *buffer = CudaBuffer();
      if (most == 1 || !error.is("ERR_OUT_OF_MEMORY")) throw;
    }
  }
}

}  // namespace

std::vector<Found> certifyOnCuda(CudaLane& lane, CudaRows& rows, const Layout& layout, const SearchTask& task,
                                 const AlignedFloats& queries, const std::function<bool()>& stopped) {
  CudaScratch& scratch = lane.scratch;
  std::vector<Found> found(task.q);
  const size_t every = sampleEvery(task.count, task.k, task.q);
  std::vector<cuda::CodeSlab> slabs = rows.codeSlabs(task.count);
  size_t groups = 0;
  for (cuda::CodeSlab& slab : slabs) {
    slab.sampled = groups;
    groups += cuda::sampledGroups(slab.count, every);
  }
  const size_t sampleRows = groups * kCodeGroup;
  const size_t capacity = std::min(task.passing, 4 * task.k + task.count / kOpenShare + kOpenSpare);
  const unsigned most = takeScratch(scratch, task.q, sampleRows, capacity);
  for (size_t first = 0; first < task.q && !stopped(); first += most) {
    const auto count = static_cast<unsigned>(std::min<size_t>(most, task.q - first));
    const CodedQueries coded = encode(layout, task, queries, first, count);
    std::vector<Selection> selections(count, {0, static_cast<uint32_t>(task.k), 0});
    uploadAll(lane, scratch.queries, coded.fragments);
    uploadAll(lane, scratch.surplus, coded.surplus);
    uploadAll(lane, scratch.codeBounds, coded.bounds);
    uploadAll(lane, scratch.selections, selections);
    if (layout.features > 0) {
      const auto from = task.weights.begin() + static_cast<ptrdiff_t>(first * (1 + layout.features));
      const auto width = static_cast<ptrdiff_t>(count * (1 + layout.features));
      uploadAll(lane, scratch.weights, std::vector<float>(from, from + width));
    }
    checkCuda(cudaMemsetAsync(scratch.histogram.as<void>(), 0, count * cuda::kBins * sizeof(uint32_t),
                              lane.stream()),
              "clearing memory");
    const cuda::CodePass pass = {count,
                                 layout.codeStride / cuda::kCodeStep,
                                 scratch.queries.as<void>(),
                                 scratch.surplus.as<int32_t>(),
                                 scratch.codeBounds.as<CodeBound>(),
                                 layout.features,
                                 scratch.weights.as<float>(),
                                 task.allowed.empty() ? nullptr : scratch.passing.as<uint32_t>(),
                                 every,
                                 sampleRows,
                                 scratch.lows.as<float>(),
                                 scratch.selections.as<Selection>(),
                                 scratch.survivors.as<Survivor>(),
                                 capacity};
    const unsigned blocks = lane.blocks();
    const cudaStream_t stream = lane.stream();
    for (const cuda::CodeSlab& slab : slabs) {
      checkCuda(cuda::launchSample(pass, slab, blocks, stream), "starting a kernel");
    }
    cuda::Pass selection = {};
    selection.queries = count;
    selection.count = sampleRows;
    selection.lows = pass.lows;
    selection.histogram = scratch.histogram.as<uint32_t>();
    selection.selections = pass.selections;
    selectLows(lane, selection);
    for (const cuda::CodeSlab& slab : slabs) {
      checkCuda(cuda::launchCertify(pass, slab, blocks, stream), "starting a kernel");
    }
    lane.download(selections.data(), pass.selections, count * sizeof(Selection));
    for (unsigned i = 0; i < count; i++) {
      if (coded.bounds[i].scale == 0 || selections[i].found > capacity) continue;
      std::vector<Survivor> survivors(selections[i].found);
      lane.download(survivors.data(), pass.survivors + i * capacity, survivors.size() * sizeof(Survivor));
      found[first + i] = rowsOf(survivors, task.k);
    }
  }
  return found;
}

}  // namespace seine
