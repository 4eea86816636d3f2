#pragma once

/// Faults at every call of the runtime; must run before any thread is started.
void testFaults();
