// The score functions that every kernel knows.
#pragma once

namespace seine {

/// Numbered as `METRICS` in ts/device/native.ts. `l2` is the squared distance: lower is better.
enum class Metric { ip = 0, cosine = 1, l2 = 2 };

}  // namespace seine
