#include "cudaRescore.h"

#include <cstring>

#include "../kernels/rescore.cuh"
#include "alignedArray.h"

namespace seine {

void rescoreOnCuda(CudaLane& lane, const CudaRows& rows, const Layout& layout, size_t count,
                   RescoreTask& task) {
  constexpr const char* kMemory = "The working memory of rescoring";
  // Queries as they were given, padded with zeros as rows are.
  const size_t stride = layout.queryStride() * sizeof(float);
  const size_t width = layout.dtype == Dtype::binary ? layout.storedBytes() : layout.dim * sizeof(float);
  const auto* const given = layout.dtype == Dtype::binary ? static_cast<const void*>(task.words.data())
                                                          : static_cast<const void*>(task.queries.data());
  std::vector<char> padded(task.q * stride);
  for (size_t i = 0; i < task.q; i++) {
    std::memcpy(&padded[i * stride], static_cast<const char*>(given) + i * width, width);
  }
  const size_t pairs = task.pairRows.size(), words = pairs * sizeof(uint32_t);
  CudaBuffer queries(padded.size(), kMemory), pairQueries(words, kMemory), pairRows(words, kMemory);
  CudaBuffer weights, scores(words, kMemory);
  if (layout.features > 0) {
    const size_t bytes = task.weights.size() * sizeof(float);
    weights = CudaBuffer(bytes, kMemory);
    lane.upload(weights.as<void>(), task.weights.data(), bytes);
  }
  lane.upload(queries.as<void>(), padded.data(), padded.size());
  lane.upload(pairQueries.as<void>(), task.pairQueries.data(), words);
  lane.upload(pairRows.as<void>(), task.pairRows.data(), words);
  const cuda::Rescoring rescoring = {layout.metric,
                                     layout.dtype,
                                     layout.bytesOf(layout.stride) / cuda::kChunkBytes,
                                     queries.as<void>(),
                                     layout.features,
                                     weights.as<float>(),
                                     pairQueries.as<uint32_t>(),
                                     pairRows.as<uint32_t>(),
                                     pairs,
                                     scores.as<float>()};
  for (const cuda::Slab& slab : rows.slabs(count)) {
    checkCuda(cuda::launchRescore(rescoring, slab, lane.blocks(), lane.stream()), "starting a kernel");
  }
  task.scores.resize(pairs);
  lane.download(task.scores.data(), scores.as<void>(), words);
}

}  // namespace seine
