// Tests of the emulation itself, and how all tests of the program report.
#pragma once

#include <string>

/// Prints a check and remembers whether it holds; with SEINE_FIRST_FAILURE the first that does not is the last.
void check(bool holds, const std::string& what);
bool allPassed();

void testEmulation();
