#include "prepareQuery.h"

#include <cstring>

#include "../kernels/canonical.h"

namespace seine {

double prepareQuery(const Layout& layout, const SearchTask& task, size_t i, float* to) {
  if (layout.dtype == Dtype::binary) {
    const size_t bytes = layout.storedBytes();
    std::memcpy(to, &task.words[i * bytes / 4], bytes);
    return 0;
  }
  const float* const query = &task.queries[i * layout.dim];
  const double norm = canonicalNorm(query, layout.dim);
  const double divisor = layout.metric == Metric::cosine && norm > 0 ? norm : 1;
  for (size_t j = 0; j < layout.dim; j++) to[j] = static_cast<float>(query[j] / divisor);
  return norm;
}

}  // namespace seine
