// When a search reads codes first, on every device that keeps them.
#pragma once

#include "backend.h"

namespace seine {

/// Whether there are codes, and neither the filter nor k leaves too few rows to exclude.
inline bool codesPay(const Layout& layout, const SearchTask& task) {
  // For k up to one in this many of the rows that pass.
  constexpr size_t kLeastShare = 16;
  return layout.codeStride > 0 && task.listed.empty() && task.k <= task.passing / kLeastShare;
}

}  // namespace seine
