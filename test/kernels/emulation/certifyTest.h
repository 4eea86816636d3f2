#pragma once

#include "../../../native/backend.h"

/// The certified scan of the device that is open: answers, launches and bytes of batches of every width.
void testCertify(seine::Backend& backend);
