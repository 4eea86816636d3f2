// Tests of the emulation itself, and how all tests of the program report.
#pragma once

#include <string>

/// Prints a check and remembers whether it holds.
void check(bool holds, const std::string& what);
bool allPassed();

void testEmulation();
