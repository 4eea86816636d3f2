// Passes over bitsets: each word is read once, at the speed of memory from the first call on.
#include <algorithm>
#include <bit>

#include "error.h"
#include "functions.h"

namespace seine {
namespace {

constexpr size_t kBlockWords = 8;  // BLOCK_WORDS in ts/device/bitsetPasses.ts

}  // namespace

napi_value narrowFunction(const Call& call) {
  const Words words = call.words(0, "words"), totals = call.words(2, "totals");
  const bool narrowed = !call.isUndefined(1);
  const Words among = narrowed ? call.words(1, "among") : words;
  if (among.size < words.size) throw Error("ERR_DIMENSION", "among must have a bit for each of words.");
  if (totals.size != 2) throw Error("ERR_DIMENSION", "totals must be 2 words.");
  uint32_t bits = 0, blocks = 0;
  for (size_t start = 0; start < words.size; start += kBlockWords) {
    const size_t end = std::min(start + kBlockWords, words.size);
    uint32_t inBlock = 0;
    for (size_t i = start; i < end; i++) {
      const uint32_t word = words.data[i] & among.data[i];
      if (narrowed) words.data[i] = word;
      inBlock += static_cast<uint32_t>(std::popcount(word));
    }
    bits += inBlock;
    blocks += inBlock > 0;
  }
  totals.data[0] = bits;
  totals.data[1] = blocks;
  return undefined(call.env());
}

napi_value listBitsFunction(const Call& call) {
  const Words words = call.words(0, "words"), positions = call.words(1, "positions");
  size_t next = 0;
  for (size_t i = 0; i < words.size; i++) {
    for (uint32_t word = words.data[i]; word != 0; word &= word - 1) {
      if (next == positions.size) throw Error("ERR_DIMENSION", "positions must have a place for each bit.");
      positions.data[next++] = static_cast<uint32_t>(32 * i + static_cast<size_t>(std::countr_zero(word)));
    }
  }
  if (next < positions.size) throw Error("ERR_DIMENSION", "positions must have no more places than bits.");
  return undefined(call.env());
}

}  // namespace seine
