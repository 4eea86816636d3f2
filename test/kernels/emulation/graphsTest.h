#pragma once

/// Searches that are recorded: when they are started again, that no other one is taken for them, that they end.
void testGraphs();
