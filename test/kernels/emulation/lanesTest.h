#pragma once

/// Calls that are under way at the same time.
void testLanes();
