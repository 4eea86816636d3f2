// Compiled once for each instruction-set level, with that level's flags, without contraction, and with
// SEINE_KERNEL naming the table that it defines. Nothing here may be inline with external linkage: the linker
// could keep the copy that older processors cannot run. Loops are written so that compilers vectorize them:
// all arithmetic is in float64, element by element, so every level gives the same bits.
#include "adamW.h"

#include <cmath>

#if defined(_MSC_VER)
#define SEINE_RESTRICT __restrict
#else
#define SEINE_RESTRICT __restrict__
#endif

namespace seine {
namespace {

template <bool kDecays>
void updateRange(const AdamWArrays& arrays, size_t begin, size_t end, const AdamWStep& given) {
  float* const SEINE_RESTRICT parameters = arrays.parameters;
  float* const SEINE_RESTRICT mean = arrays.mean;
  float* const SEINE_RESTRICT variance = arrays.variance;
  const float* const SEINE_RESTRICT gradient = arrays.gradient;
  const AdamWStep step = given;
  for (size_t i = begin; i < end; i++) {
    const double g = gradient[i] * step.ratio;
    const double m = step.beta1 * mean[i] + (1 - step.beta1) * g;
    const double v = step.beta2 * variance[i] + (1 - step.beta2) * g * g;
    mean[i] = static_cast<float>(m);
    variance[i] = static_cast<float>(v);
    const double parameter = parameters[i];
    const double decay = kDecays ? step.weightDecay * parameter : 0;
    const double direction = m * step.meanScale / (std::sqrt(v * step.varianceScale) + step.epsilon);
    parameters[i] = static_cast<float>(parameter - step.rate * (direction + decay));
  }
}

void update(const AdamWArrays& arrays, size_t begin, size_t end, const AdamWStep& step, bool decays) {
  if (decays) {
    updateRange<true>(arrays, begin, end, step);
  } else {
    updateRange<false>(arrays, begin, end, step);
  }
}

double squaredLength(const float* values, size_t count) {
  constexpr size_t kSums = 16;
  double sums[kSums] = {};
  size_t i = 0;
  for (; i + kSums <= count; i += kSums) {
    for (size_t s = 0; s < kSums; s++) {
      const double value = values[i + s];
      sums[s] += value * value;
    }
  }
  for (size_t s = 0; i + s < count; s++) {
    const double value = values[i + s];
    sums[s] += value * value;
  }
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

}  // namespace

extern const AdamWKernel SEINE_KERNEL = {update, squaredLength};

}  // namespace seine
