#pragma once

#include "../../../native/backend.h"

void testFilter(seine::Backend& backend);
