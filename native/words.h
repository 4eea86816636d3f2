#pragma once

#include <cstddef>
#include <cstdint>

namespace seine {

/// Words of a JavaScript array.
struct Words {
  uint32_t* data;
  size_t size;
};

}  // namespace seine
