// The bounds of the certified scan as such: what tests attack.
#include <algorithm>
#include <cmath>
#include <vector>

#include "../kernels/canonical.h"
#include "../kernels/isa.h"
#include "alignedArray.h"
#include "functions.h"
#include "prepareQuery.h"

namespace seine {
namespace {

constexpr size_t kMostRows = 64;

const Isa& isaOf(const std::string& name) {
  for (const Isa* isa = supportedIsas(); isa->name != nullptr; isa++) {
    if (name == isa->name) return *isa;
  }
  throw Error("ERR_ARGUMENT", "isa must be one of supportedIsas().");
}

}  // namespace

napi_value certifyFunction(const Call& call) {
  const Isa& isa = isaOf(call.string(0, "isa"));
  const CertifyKernel& kernel = *isa.certify;
  const auto metric = static_cast<Metric>(static_cast<int>(call.number(1, "metric", 0, 2)));
  Layout layout(static_cast<size_t>(call.number(2, "dim", 1, 65536)), metric, Dtype::f32, true);
  layout.shift = 6;  // small chunks
  layout.rowsPerChunk = kMostRows;
  const Floats data = call.floats(3, "data"), query = call.floats(4, "query");
  const Floats thresholds = call.floats(5, "thresholds"), lows = call.floats(6, "lows");
  const Floats highs = call.floats(7, "highs");
  const Words reaches = call.words(8, "reaches");
  const size_t rows = thresholds.size;
  if (data.size != rows * layout.dim || query.size != layout.dim || lows.size != rows || highs.size != rows ||
      reaches.size != rows || rows > kMostRows) {
    throw Error("ERR_DIMENSION",
                "data must be [rows, dim] of 64 rows at most, query [dim], the others [rows].");
  }

  Chunk chunk(layout, false);
  // All rows of the groups, since kernels read whole ones.
  std::vector<float> padded(layout.rowsPerChunk * layout.dim);
  std::copy(data.data, data.data + data.size, padded.begin());
  chunk.copy(layout, 0, {reinterpret_cast<const uint8_t*>(padded.data()), nullptr, layout.rowsPerChunk});
  chunk.measure(layout, *isa.encode, 0, layout.rowsPerChunk);

  AlignedFloats prepared(layout.stride);
  SearchTask task;
  task.queries.assign(query.data, query.data + query.size);
  prepareQuery(layout, task, 0, prepared.data());
  AlignedArray<int8_t> codes(2 * kCodeGroup * layout.codeStride);  // room for whole tiles
  const CodeBound bound = encodeQuery(metric, prepared.data(), layout.dim, kernel.narrowSums, codes.data());
  int32_t surplus = 0;
  for (size_t i = 0; i < layout.dim; i++) surplus += 128 * codes[i];
  AlignedArray<int32_t> dots(2 * kCodeGroup * layout.rowsPerChunk);
  kernel.dots({chunk.codes, layout.rowsPerChunk / kCodeGroup, codes.data(), &surplus, 1, layout.codeStride,
               dots.data(), layout.rowsPerChunk});

  const AlignedFloats& lengths = metric == Metric::l2 ? chunk.lengths : chunk.weights;
  for (size_t i = 0; i < rows; i++) {
    const float length = metric == Metric::cosine ? 1 : lengths[i];
    const Interval interval = bound.interval(dots[i], {chunk.scales[i], chunk.errors[i]}, length);
    const bool certain = bound.scale != 0;
    lows.data[i] = certain ? interval.low : -HUGE_VALF;
    highs.data[i] = certain ? interval.high : HUGE_VALF;
    const size_t group = i / kCodeGroup * kCodeGroup;
    const CodedRows coded = {chunk.scales.data() + group, chunk.errors.data() + group,
                             metric == Metric::cosine ? nullptr : lengths.data() + group, nullptr};
    uint32_t positions[kCodeGroup];
    const size_t found =
        kernel.survivors(dots.data() + group, coded, kCodeGroup, bound, thresholds.data[i], positions);
    reaches.data[i] = !certain || std::find(positions, positions + found, i - group) != positions + found;
  }
  return undefined(call.env());
}

}  // namespace seine
