// The score functions that every kernel knows.
#pragma once

namespace seine {

/// Numbered as `METRICS` in ts/device/native.ts. `l2` is the squared distance, `hamming` the number of bits
/// that differ: lower is better.
enum class Metric { ip = 0, cosine = 1, l2 = 2, hamming = 3 };

constexpr bool isDistance(Metric metric) { return metric == Metric::l2 || metric == Metric::hamming; }

}  // namespace seine
