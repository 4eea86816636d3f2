#include "cudaMaxsim.h"

#include <algorithm>

#include "../kernels/maxsim.cuh"
#include "cudaCollect.h"

namespace seine {
namespace {

using cuda::DocumentPass;
using cuda::kPassQueries;
using cuda::kTokenTile;
using cuda::Selection;
using cuda::Slab;

/// Candidates that there is room for at first, besides k.
constexpr size_t kSpare = 1024;

template <typename T>
T* uploadAll(CudaLane& lane, CudaBuffer& buffer, const T* values, size_t count) {
  growBuffer(buffer, count * sizeof(T));
  lane.upload(buffer.as<void>(), values, count * sizeof(T));
  return buffer.as<T>();
}

/// One search.
class DocumentScan {
 public:
  DocumentScan(CudaLane& lane, const CudaRows& rows, const Layout& layout, const SearchTask& task)
      : lane_(lane),
        scratch_(lane.scratch),
        layout_(layout),
        task_(task),
        slabs_(rows.slabs(task.documents[task.count])) {
    pass_.dtype = layout.dtype;
    pass_.chunks = layout.bytesOf(layout.stride) / cuda::kChunkBytes;
    pass_.count = task.listed.empty() ? task.count : task.listed.size();
    pass_.starts = uploadAll(lane, scratch_.documents, task.documents.data(), task.count + 1);
    if (!task.listed.empty()) {
      pass_.listed = uploadAll(lane, scratch_.passing, task.listed.data(), task.listed.size());
    } else if (!task.allowed.empty()) {
      pass_.allowed = uploadAll(lane, scratch_.passing, task.allowed.data(), task.allowed.size());
    }
  }

  /// Makes room for the results of up to `most` queries at a time; returns how many, fewer where memory is
  /// short: a document takes 24 bytes for each, and 260 for a tile.
  unsigned takeScratch(size_t most) {
    growBuffer(scratch_.queries, kTokenTile * layout_.queryStride() * sizeof(float));
    growBuffer(scratch_.bounds, kTokenTile * sizeof(Bound));
    growBuffer(scratch_.selections, kPassQueries * sizeof(Selection));
    growBuffer(scratch_.histogram, kPassQueries * cuda::kBins * sizeof(uint32_t));
    growBuffer(scratch_.best, pass_.count * kTokenTile * sizeof(float));
    growBuffer(scratch_.longest, pass_.count * sizeof(float));
    for (auto queries = static_cast<unsigned>(std::min<size_t>(kPassQueries, most));; queries /= 2) {
      try {
        for (CudaBuffer* const buffer : {&scratch_.lows, &scratch_.highs}) {
          growBuffer(*buffer, queries * pass_.count * sizeof(float));
        }
        for (CudaBuffer* const buffer : {&scratch_.lowSums, &scratch_.highSums}) {
          growBuffer(*buffer, queries * pass_.count * sizeof(double));
        }
        return queries;
      } catch (const Error& error) {
        scratch_.lows = CudaBuffer();
        scratch_.highs = CudaBuffer();
        scratch_.lowSums = CudaBuffer();
        scratch_.highSums = CudaBuffer();
        if (queries == 1 || !error.is("ERR_OUT_OF_MEMORY")) throw;
      }
    }
  }

  /// Documents that may be among the k best of `queries` queries from `first` on.
  std::vector<std::vector<uint32_t>> run(size_t first, unsigned queries, const AlignedFloats& tokens,
                                         const std::vector<Bound>& bounds,
                                         const std::function<bool()>& stopped) {
    const size_t firstToken = task_.offsets[first];
    std::vector<uint32_t> offsets(queries + 1);
    for (size_t i = 0; i <= queries; i++) offsets[i] = task_.offsets[first + i] - task_.offsets[first];
    pass_.queries = queries;
    pass_.offsets = uploadAll(lane_, scratch_.offsets, offsets.data(), offsets.size());
    pass_.best = scratch_.best.as<float>();
    pass_.longest = scratch_.longest.as<float>();
    pass_.lowSums = scratch_.lowSums.as<double>();
    pass_.highSums = scratch_.highSums.as<double>();
    pass_.lows = scratch_.lows.as<float>();
    pass_.highs = scratch_.highs.as<float>();
    size_t done = 0;
    do {  // queries without tokens have a score, too
      if (stopped()) return {};
      pass_.firstToken = done;
      pass_.tokens = static_cast<unsigned>(std::min<size_t>(kTokenTile, offsets[queries] - done));
      runTile(tokens.data() + (firstToken + done) * layout_.queryStride(), bounds.data() + firstToken + done);
      done += pass_.tokens;
    } while (done < offsets[queries]);
    return select(queries, stopped);
  }

 private:
  void runTile(const float* tokens, const Bound* bounds) {
    const cudaStream_t stream = lane_.stream();
    const unsigned blocks = lane_.blocks();
    const size_t bytes = layout_.queryStride() * sizeof(float);
    checkCuda(cudaMemsetAsync(scratch_.queries.as<void>(), 0, kTokenTile * bytes, stream), "clearing memory");
    lane_.upload(scratch_.queries.as<void>(), tokens, pass_.tokens * bytes);
    lane_.upload(scratch_.bounds.as<void>(), bounds, pass_.tokens * sizeof(Bound));
    pass_.tokenValues = scratch_.queries.as<void>();
    pass_.bounds = scratch_.bounds.as<Bound>();
    for (const Slab& slab : slabs_) {
      const size_t begin = slotsBefore([&](uint32_t d) { return task_.documents[d + 1] <= slab.first; });
      const size_t end =
          slotsBefore([&](uint32_t d) { return task_.documents[d] < slab.first + slab.count; });
      if (pass_.tokens == 0 || begin >= end) continue;
      checkCuda(cuda::launchBestTokens(pass_, slab, begin, end, blocks, stream), "starting a kernel");
    }
    checkCuda(cuda::launchDocumentSums(pass_, blocks, stream), "starting a kernel");
  }

  /// How many slots, from the first on, have a document that lies `before`.
  template <typename Before>
  size_t slotsBefore(Before before) const {
    size_t low = 0, high = pass_.count;
    while (low < high) {
      const size_t middle = (low + high) / 2;
      const uint32_t document = task_.listed.empty() ? static_cast<uint32_t>(middle) : task_.listed[middle];
      (before(document) ? low : high) = before(document) ? middle + 1 : middle;
    }
    return low;
  }

  std::vector<std::vector<uint32_t>> select(unsigned queries, const std::function<bool()>& stopped) {
    std::vector<Selection> selections(queries, {0, static_cast<uint32_t>(task_.k), 0});
    uploadAll(lane_, scratch_.selections, selections.data(), selections.size());
    cuda::Pass pass = {};
    pass.queries = queries;
    pass.count = pass_.count;
    pass.lows = pass_.lows;
    pass.highs = pass_.highs;
    pass.histogram = scratch_.histogram.as<uint32_t>();
    pass.selections = scratch_.selections.as<Selection>();
    // A pass that failed may have left counts.
    checkCuda(
        cudaMemsetAsync(pass.histogram, 0, kPassQueries * cuda::kBins * sizeof(uint32_t), lane_.stream()),
        "clearing memory");
    selectLows(lane_, pass);
    const size_t room = std::min(task_.passing, task_.k + kSpare);
    auto found = collectSlots(lane_, pass, scratch_.candidates, room, stopped);
    for (std::vector<uint32_t>& slots : found) {
      for (uint32_t& slot : slots) slot = task_.listed.empty() ? slot : task_.listed[slot];
    }
    return found;
  }

  CudaLane& lane_;
  CudaScratch& scratch_;
  const Layout& layout_;
  const SearchTask& task_;
  const std::vector<Slab> slabs_;
  DocumentPass pass_ = {};
};

}  // namespace

std::vector<std::vector<uint32_t>> scanDocumentsOnCuda(CudaLane& lane, const CudaRows& rows,
                                                       const Layout& layout, const SearchTask& task,
                                                       const AlignedFloats& tokens,
                                                       const std::vector<Bound>& bounds,
                                                       const std::function<bool()>& stopped) {
  DocumentScan scan(lane, rows, layout, task);
  const size_t most = scan.takeScratch(task.q);
  std::vector<std::vector<uint32_t>> candidates(task.q);
  for (size_t first = 0; first < task.q && !stopped(); first += most) {
    const auto queries = static_cast<unsigned>(std::min(most, task.q - first));
    auto found = scan.run(first, queries, tokens, bounds, stopped);
    std::move(found.begin(), found.end(), candidates.begin() + static_cast<ptrdiff_t>(first));
  }
  return candidates;
}

}  // namespace seine
