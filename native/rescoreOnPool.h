#pragma once

#include <memory>

#include "backend.h"
#include "chunk.h"

namespace seine {

/// Canonical scores of pairs by the pool, some thousand a task.
void rescoreOnPool(const Layout& layout, std::shared_ptr<const Chunks> chunks,
                   std::shared_ptr<RescoreTask> task, Done done);

}  // namespace seine
