// When a search reads codes first, on every device that keeps them.
#pragma once

#include "backend.h"

namespace seine {

/// Codes pay for k up to one in so many of the rows that pass.
constexpr size_t kLeastShare = 16;

/// Whether there are codes, and neither the filter nor k leaves too few rows to exclude: k is up to one in
/// `leastShare` of the rows that pass.
inline bool codesPay(const Layout& layout, const SearchTask& task, size_t leastShare = kLeastShare) {
  return layout.codeStride > 0 && task.listed.empty() && task.k <= task.passing / leastShare;
}

}  // namespace seine
