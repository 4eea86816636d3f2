#pragma once

#include <string>

#include "../kernels/isa.h"
#include "error.h"

namespace seine {

/// The level of this name, '' being the best. Throws Error if the processor lacks it.
inline const Isa& isaNamed(const std::string& name) {
  for (const Isa* isa = supportedIsas(); isa->name != nullptr; isa++) {
    if (name.empty() || name == isa->name) return *isa;
  }
  throw Error("ERR_ARGUMENT", "isa must be one of supportedIsas() or ''.");
}

}  // namespace seine
