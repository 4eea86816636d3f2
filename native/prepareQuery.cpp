#include "prepareQuery.h"

#include "../kernels/canonical.h"

namespace seine {

double prepareQuery(const Layout& layout, const float* query, float* to) {
  const double norm = canonicalNorm(query, layout.dim);
  const double divisor = layout.metric == Metric::cosine && norm > 0 ? norm : 1;
  for (size_t i = 0; i < layout.dim; i++) to[i] = static_cast<float>(query[i] / divisor);
  return norm;
}

}  // namespace seine
