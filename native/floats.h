#pragma once

#include <cstddef>

namespace seine {

/// Numbers of a JavaScript array.
struct Floats {
  float* data;
  size_t size;
};

}  // namespace seine
