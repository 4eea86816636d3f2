// Ops on scores by the pool: a query a task.
#pragma once

#include <memory>

#include "backend.h"

namespace seine {

void selectOnPool(std::shared_ptr<SelectTask> task, Done done);
void mergeOnPool(std::shared_ptr<MergeTask> task, Done done);

}  // namespace seine
