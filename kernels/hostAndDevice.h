// For functions that processors and GPUs share.
#pragma once

#if defined(__CUDACC__)
#define SEINE_HOST_AND_DEVICE __host__ __device__
#else
#define SEINE_HOST_AND_DEVICE
#endif
