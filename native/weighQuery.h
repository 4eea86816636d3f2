// A query as the scan of codes takes it.
#pragma once

#include <vector>

#include "../kernels/codes.h"
#include "backend.h"
#include "chunk.h"

namespace seine {

/// Codes of query `i`, which is `query` as prepareQuery writes it, into `codes` [dim], as `encodeQuery` does.
/// For rows with features the query is weighed by the first of its weights, so that its products are the
/// first terms of scores; there is no bound where it gets so short that underflows would count.
inline CodeBound encodeWeighed(const Layout& layout, const SearchTask& task, size_t i, const float* query,
                               bool narrow, int8_t* codes) {
  if (layout.features == 0) return encodeQuery(layout.metric, query, layout.dim, narrow, codes);
  constexpr float kLeastScale = 0x1p-100f;
  const float weight = task.weights[i * (1 + layout.features)];
  std::vector<float> weighed(query, query + layout.dim);
  for (float& number : weighed) number *= weight;
  CodeBound bound = encodeQuery(layout.metric, weighed.data(), layout.dim, narrow, codes);
  if (bound.scale < kLeastScale) bound.scale = 0;
  return bound;
}

}  // namespace seine
