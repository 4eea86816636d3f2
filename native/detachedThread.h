#pragma once

#include <functional>

namespace seine {

/// Starts a thread of the process that outlives the environment that asked for it: the addon stays loaded,
/// signals go to other threads, and floating-point arithmetic is as the error bounds need it. Throws
/// std::system_error.
void startDetachedThread(std::function<void()> run);

}  // namespace seine
