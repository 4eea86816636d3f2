#pragma once

#include <cstddef>

/// Faults at each `every`-th call of the runtime, from one on that the seed draws; must run before any thread
/// is started.
void testFaults(size_t every, size_t seed);
