// Stored numbers as float32, exactly: what canonical scores are computed from.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dtype.h"

namespace seine {

/// The `count` numbers of a row that is not binary; codes of int8 are multiplied by `factor`.
void decodeNumbers(Dtype dtype, const uint8_t* numbers, size_t count, float factor, float* to);

/// Euclidean length of the same numbers: the square root of a float64 sum in index order. Takes no memory.
double storedNorm(Dtype dtype, const uint8_t* numbers, size_t count, float factor);

/// Bits in which `a` and `b` [bytes], a multiple of 8, differ.
uint64_t differingBits(const uint8_t* a, const uint8_t* b, size_t bytes);

}  // namespace seine
