#include "cudaCertify.h"

#include <algorithm>
#include <cstring>

#include "candidates.h"
#include "cudaCollect.h"
#include "packing.h"
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
/// One group of rows in so many is in the sample, but so many groups at least. What is sampled costs as much
/// again for each query, so it is less where there are many.
constexpr size_t kSampleShare = 64;
constexpr size_t kWideSampleShare = 128;
constexpr size_t kLeastGroups = 32;

/// Where what a pass takes lies in one buffer, from byte to byte: up to the survivors it is uploaded, from
/// the selections on it comes back.
struct Places {
  Places(const Layout& layout, unsigned queries, size_t capacity) {
    const size_t fragmentsOfStep = cuda::codeTiles(queries) * cuda::kFragmentLanes * 2;
    Packing packing;
    fragments = packing.take(layout.codeStride / cuda::kCodeStep * fragmentsOfStep * sizeof(uint32_t));
    bounds = packing.take(queries * sizeof(CodeBound));
    surplus = packing.take(queries * sizeof(int32_t));
    weights = packing.take(layout.features > 0 ? queries * (1 + layout.features) * sizeof(float) : 0);
    selections = packing.take(queries * sizeof(Selection));
    survivors = packing.take(queries * capacity * sizeof(Survivor));
    end = packing.bytes();
  }

  size_t fragments, bounds, surplus, weights, selections, survivors, end;
};

/// Writes what a pass uploads to `staged`; returns the bounds of its queries.
std::vector<CodeBound> encode(const Layout& layout, const SearchTask& task, const AlignedFloats& queries,
                              size_t first, unsigned count, const Places& at, char* staged) {
  const size_t steps = layout.codeStride / cuda::kCodeStep, tiles = cuda::codeTiles(count);
  std::memset(staged, 0, at.survivors);
  std::vector<CodeBound> bounds;
  std::vector<int8_t> codes(layout.codeStride);
  for (unsigned i = 0; i < count; i++) {
    std::fill(codes.begin(), codes.end(), int8_t{0});
    const float* const query = queries.data() + (first + i) * layout.stride;
    bounds.push_back(encodeWeighed(layout, task, first + i, query, false, codes.data()));
    int32_t surplus = 0;
    for (const int8_t code : codes) surplus += 128 * code;
    const Selection selection = {0, static_cast<uint32_t>(task.k), 0};
    std::memcpy(staged + at.bounds + i * sizeof(CodeBound), &bounds[i], sizeof(CodeBound));
    std::memcpy(staged + at.surplus + i * sizeof surplus, &surplus, sizeof surplus);
    std::memcpy(staged + at.selections + i * sizeof selection, &selection, sizeof selection);
    // The lanes 4 j to 4 j + 3 hold query j of a tile.
    const size_t tile = i / kCodeTile, firstLane = i % kCodeTile * 4;
    for (size_t step = 0; step < steps; step++) {
      for (size_t lane = firstLane; lane < firstLane + 4; lane++) {
        for (size_t word = 0; word < 2; word++) {
          const size_t fragment = ((step * tiles + tile) * cuda::kFragmentLanes + lane) * 2 + word;
          std::memcpy(staged + at.fragments + fragment * 4, &codes[cuda::queryWord(step, lane, word) * 4], 4);
        }
      }
    }
  }
  if (layout.features > 0) {
    const size_t width = 1 + layout.features;
    std::memcpy(staged + at.weights, &task.weights[first * width], count * width * sizeof(float));
  }
  return bounds;
}

/// One group of rows in how many makes the sample for a pass of so many queries.
size_t sampleEvery(size_t count, size_t k, size_t queries) {
  const size_t groups = (count + kCodeGroup - 1) / kCodeGroup;
  const size_t share = queries > kCodeTile ? kWideSampleShare : kSampleShare;
  const size_t wanted = std::max({groups / share, kLeastGroups, k * kSampleRowsPerBest / kCodeGroup});
  return std::max<size_t>(1, groups / wanted);
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
unsigned takeScratch(CudaScratch& scratch, const Layout& layout, size_t queries, size_t sampleRows,
                     size_t capacity) {
  for (auto most = static_cast<unsigned>(std::min<size_t>(kCodeQueries, queries));; most = (most + 1) / 2) {
    try {
      growBuffer(scratch.histogram, most * cuda::kBins * sizeof(uint32_t));
      growBuffer(scratch.lows, most * sampleRows * sizeof(float));
      growBuffer(scratch.exchange, Places(layout, most, capacity).end);
      return most;
    } catch (const Error& error) {
      for (CudaBuffer* buffer : {&scratch.histogram, &scratch.lows, &scratch.exchange})
        *buffer = CudaBuffer();
      if (most == 1 || !error.is("ERR_OUT_OF_MEMORY")) throw;
    }
  }
}

/// All launches of a pass.
void launchPass(CudaLane& lane, const cuda::CodePass& pass, const cuda::Pass& selection,
                const std::vector<cuda::CodeSlab>& slabs) {
  checkCuda(
      cudaMemsetAsync(selection.histogram, 0, pass.queries * cuda::kBins * sizeof(uint32_t), lane.stream()),
      "clearing memory");
  for (const cuda::CodeSlab& slab : slabs) {
    checkCuda(cuda::launchSample(pass, slab, lane.blocks(), lane.stream()), "starting a kernel");
  }
  selectLows(lane, selection);
  for (const cuda::CodeSlab& slab : slabs) {
    checkCuda(cuda::launchCertify(pass, slab, lane.blocks(), lane.stream()), "starting a kernel");
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
  const unsigned most = takeScratch(scratch, layout, task.q, sampleRows, capacity);
  char* const buffer = scratch.exchange.as<char>();
  for (size_t first = 0; first < task.q && !stopped(); first += most) {
    const auto count = static_cast<unsigned>(std::min<size_t>(most, task.q - first));
    const Places at(layout, count, capacity);
    const std::vector<CodeBound> bounds = encode(layout, task, queries, first, count, at, lane.staged());
    auto pass = cuda::CodePass();
    pass.queries = count;
    pass.steps = layout.codeStride / cuda::kCodeStep;
    pass.queryCodes = buffer + at.fragments;
    pass.surplus = reinterpret_cast<const int32_t*>(buffer + at.surplus);
    pass.bounds = reinterpret_cast<const CodeBound*>(buffer + at.bounds);
    pass.features = layout.features;
    pass.weights = reinterpret_cast<const float*>(buffer + at.weights);
    pass.allowed = task.allowed.empty() ? nullptr : scratch.passing.as<uint32_t>();
    pass.every = every;
    pass.sampleRows = sampleRows;
    pass.lows = scratch.lows.as<float>();
    pass.selections = reinterpret_cast<Selection*>(buffer + at.selections);
    pass.survivors = reinterpret_cast<Survivor*>(buffer + at.survivors);
    pass.capacity = capacity;
    auto selection = cuda::Pass();
    selection.queries = count;
    selection.count = sampleRows;
    selection.lows = pass.lows;
    selection.histogram = scratch.histogram.as<uint32_t>();
    selection.selections = pass.selections;
    const size_t results = at.end - at.selections;
    const bool whole = results <= kWholeBytes;
    std::vector<Selection> selections(count);
    if (whole) {
      const CudaSequence sequence = CudaSequence("codes").add(pass).add(selection).add(slabs);
      scratch.graphs.run(lane.stream(), sequence, [&] {
        lane.copyUp(buffer, at.survivors);
        launchPass(lane, pass, selection, slabs);
        lane.copyDown(pass.selections, results);
      });
      lane.synchronize();
      std::memcpy(selections.data(), lane.copied(), count * sizeof(Selection));
    } else {
      lane.copyUp(buffer, at.survivors);
      launchPass(lane, pass, selection, slabs);
      lane.download(selections.data(), pass.selections, count * sizeof(Selection));
    }
    for (unsigned i = 0; i < count; i++) {
      if (bounds[i].scale == 0 || selections[i].found > capacity) continue;
      std::vector<Survivor> survivors(selections[i].found);
      const size_t bytes = survivors.size() * sizeof(Survivor), from = i * capacity * sizeof(Survivor);
      if (whole) {
        std::memcpy(survivors.data(), lane.copied() + (at.survivors - at.selections) + from, bytes);
      } else {
        lane.download(survivors.data(), buffer + at.survivors + from, bytes);
      }
      found[first + i] = rowsOf(survivors, task.k);
    }
  }
  return found;
}

}  // namespace seine
