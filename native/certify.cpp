// The bounds of the certified scan as such: what tests attack.
#include <algorithm>
#include <cmath>
#include <vector>

#include "../kernels/canonical.h"
#include "../kernels/interval.h"
#include "../kernels/isa.h"
#include "alignedArray.h"
#include "functions.h"
#include "prepareQuery.h"
#include "weighQuery.h"

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
  const Floats features = call.floatsIfAny(9, "features"), weights = call.floatsIfAny(10, "weights");
  const size_t width = weights.size == 0 ? 0 : weights.size - 1;
  Layout layout(static_cast<size_t>(call.number(2, "dim", 1, 65536)), metric, Dtype::f32, true, width);
  layout.shift = 6;  // small chunks
  layout.rowsPerChunk = kMostRows;
  const Floats data = call.floats(3, "data"), query = call.floats(4, "query");
  const Floats thresholds = call.floats(5, "thresholds"), lows = call.floats(6, "lows");
  const Floats highs = call.floats(7, "highs");
  const Words reaches = call.words(8, "reaches");
  const size_t rows = thresholds.size;
  if (data.size != rows * layout.dim || query.size != layout.dim || lows.size != rows || highs.size != rows ||
      reaches.size != rows || rows > kMostRows || features.size != rows * width) {
    throw Error("ERR_DIMENSION",
                "data must be [rows, dim] of 64 rows at most, query [dim], features [rows, width], weights "
                "[1 + width], the others [rows].");
  }

  Chunk chunk(layout, false);
  // All rows of the groups, since kernels read whole ones.
  std::vector<float> padded(layout.rowsPerChunk * layout.dim);
  std::copy(data.data, data.data + data.size, padded.begin());
  std::vector<float> paddedFeatures(layout.rowsPerChunk * width);
  std::copy(features.data, features.data + features.size, paddedFeatures.begin());
  chunk.copy(
      layout, 0,
      {reinterpret_cast<const uint8_t*>(padded.data()), nullptr, layout.rowsPerChunk, paddedFeatures.data()});
  chunk.measure(layout, *isa.encode, 0, layout.rowsPerChunk);

  AlignedFloats prepared(layout.stride);
  SearchTask task;
  task.queries.assign(query.data, query.data + query.size);
  task.weights.assign(weights.data, weights.data + weights.size);
  prepareQuery(layout, task, 0, prepared.data());
  AlignedArray<int8_t> codes(2 * kCodeGroup * layout.codeStride);  // room for whole tiles
  const CodeBound bound = encodeWeighed(layout, task, 0, prepared.data(), kernel.narrowSums, codes.data());
  int32_t surplus = 0;
  for (size_t i = 0; i < layout.dim; i++) surplus += 128 * codes[i];
  AlignedArray<int32_t> dots(2 * kCodeGroup * layout.rowsPerChunk);
  kernel.dots({chunk.codes, layout.rowsPerChunk / kCodeGroup, codes.data(), &surplus, 1, layout.codeStride,
               dots.data(), layout.rowsPerChunk});

  AlignedFloats columns(width * kMostRows), added(kMostRows);
  for (size_t i = 0; i < rows * width; i++) columns[i % width * kMostRows + i / width] = features.data[i];
  if (width > 0) kernel.weigh(columns.data(), kMostRows, weights.data + 1, width, rows, added.data());

  const AlignedFloats& lengths = metric == Metric::l2 ? chunk.lengths : chunk.weights;
  for (size_t i = 0; i < rows; i++) {
    const float length = metric == Metric::cosine ? 1 : lengths[i];
    Interval interval = bound.interval(dots[i], {chunk.scales[i], chunk.errors[i]}, length);
    if (width > 0) {
      interval = addFeatures(interval.low, interval.high, weights.data + 1, features.data + i * width, width);
    }
    const bool certain = bound.scale != 0;
    lows.data[i] = certain ? interval.low : -HUGE_VALF;
    highs.data[i] = certain ? interval.high : HUGE_VALF;
    const size_t group = i / kCodeGroup * kCodeGroup;
    const CodedRows coded = {chunk.scales.data() + group, chunk.errors.data() + group,
                             metric == Metric::cosine ? nullptr : lengths.data() + group, nullptr,
                             width == 0 ? nullptr : added.data() + group};
    uint32_t positions[kCodeGroup];
    const size_t found =
        kernel.survivors(dots.data() + group, coded, kCodeGroup, bound, thresholds.data[i], positions);
    reaches.data[i] = !certain || std::find(positions, positions + found, i - group) != positions + found;
  }
  return undefined(call.env());
}

}  // namespace seine
