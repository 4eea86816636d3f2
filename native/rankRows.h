#pragma once

#include <functional>
#include <vector>

#include "backend.h"
#include "chunk.h"

namespace seine {

/// Fills the result of one query: the k best of `rows` by canonical score, in final order. `rows` holds every
/// row that may be among them. Ends without a result as soon as `stopped()`. Throws Error.
void rankRows(const Layout& layout, const Chunks& chunks, SearchTask& task, size_t query, double queryNorm,
              const std::vector<uint32_t>& rows, const std::function<bool()>& stopped);

}  // namespace seine
