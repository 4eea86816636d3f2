// Filters over columns in host memory, by the pool.
#pragma once

#include <memory>

#include "backend.h"
#include "columnStore.h"

namespace seine {

void writeOnPool(std::shared_ptr<ColumnStore> store, size_t array, size_t at, Borrowed<Words> words,
                 Done done);
/// Throws Error if the program names columns or rows that there are not.
void filterOnPool(const ColumnStore& store, std::shared_ptr<FilterTask> task, Done done);

}  // namespace seine
