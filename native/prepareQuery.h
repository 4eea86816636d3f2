#pragma once

#include "backend.h"

namespace seine {

/// Writes what the scan takes for query `i` of the task into `to` [queryStride] (of unit length for `cosine`,
/// as given else; what lies beyond `dim` is left) and returns the query's canonical length, 0 for bits.
double prepareQuery(const Layout& layout, const SearchTask& task, size_t i, float* to);

}  // namespace seine
