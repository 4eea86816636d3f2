#pragma once

#include "chunk.h"

namespace seine {

/// Writes what the scan takes for a query [dim] into `to` [stride] (of unit length for `cosine`, as given
/// else; what lies beyond `dim` is left) and returns the query's canonical length.
double prepareQuery(const Layout& layout, const float* query, float* to);

}  // namespace seine
