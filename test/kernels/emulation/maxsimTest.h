#pragma once

#include "../../../native/backend.h"

void testMaxsim(seine::Backend& backend);
