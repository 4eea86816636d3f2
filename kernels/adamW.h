// A step of AdamW and the length of its gradient, at one instruction-set level; bit for bit what
// ts/device/reference/adamW.ts does.
#pragma once

#include <cstddef>

namespace seine {

/// What all elements of a step share.
struct AdamWStep {
  double ratio;  // of the gradient to what is left of it after clipping
  double beta1, beta2;
  double meanScale, varianceScale;  // corrections of the moments' bias
  double epsilon, weightDecay, rate;
};

/// Parameters, the moments of their gradients, and their gradients.
struct AdamWArrays {
  float* parameters;
  float* mean;
  float* variance;
  const float* gradient;
};

struct AdamWKernel {
  /// Elements `begin` to `end`, in place; with or without weight decay.
  void (*update)(const AdamWArrays& arrays, size_t begin, size_t end, const AdamWStep& step, bool decays);
  /// Sum of squares of `count` numbers: element i in partial sum i % 16, these added up in their order.
  double (*squaredLength)(const float* values, size_t count);
};

extern const AdamWKernel adamWScalar;
#if defined(__x86_64__) || defined(_M_X64)
extern const AdamWKernel adamWAvx2;
extern const AdamWKernel adamWAvx512;
#endif

}  // namespace seine
