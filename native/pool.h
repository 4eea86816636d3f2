// The threads of the process: one pool for all devices and all environments that load the addon.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace seine {

/// Runs `run(0)` to `run(tasks - 1)` on the pool's threads, then `finished()` on the last of them; neither
/// may throw. Tasks of several batches take turns, so that a short one does not wait for a long one. With no
/// tasks, `finished` is called at once.
void submit(size_t tasks, std::function<void(size_t task)> run, std::function<void()> finished);

/// Starts the pool with `threads` threads unless it runs already; returns how many it has. Throws Error.
size_t startPool(size_t threads);

}  // namespace seine
