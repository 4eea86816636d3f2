// The instruction-set levels that kernels are compiled for.
#pragma once

#include "adamW.h"
#include "certify.h"
#include "encode.h"
#include "quantize.h"
#include "scan.h"

namespace seine {

struct Isa {
  const char* name;
  const ScanKernel* scan;
  const CertifyKernel* certify;
  const QuantizeKernel* quantize;
  const AdamWKernel* adamW;
  const EncodeKernel* encode;
};

/// Levels of this build that this processor and operating system can run, best first; ends with one without a
/// name.
const Isa* supportedIsas();

}  // namespace seine
