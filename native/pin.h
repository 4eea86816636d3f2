#pragma once

namespace seine {

/// Keeps this library loaded until the process ends: Node unloads an addon when the last worker thread that
/// loaded it ends, but the pool's threads still run its code.
void pinLibrary();

}  // namespace seine
