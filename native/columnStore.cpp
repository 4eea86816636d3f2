#include "columnStore.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace seine {
namespace {

constexpr size_t kLeast = 256;  // words of an array

}  // namespace

void ColumnStore::write(size_t array, size_t at, const uint32_t* words, size_t count) {
  Array grown = array < arrays_.size() ? arrays_[array] : Array();
  if (at > grown.size) throw Error("ERR_INTERNAL", "Words of a column are written behind its end.");
  if (at + count > grown.capacity) {
    const size_t capacity = std::max({kLeast, grown.capacity * 2, at + count});
    std::shared_ptr<uint32_t[]> bigger;
    try {
      bigger.reset(new uint32_t[capacity]);
    } catch (const std::bad_alloc&) {
      throw outOfMemory("Memory for a column", capacity * sizeof(uint32_t));
    }
    if (at > 0) std::memcpy(bigger.get(), grown.words.get(), at * sizeof(uint32_t));
    bytes_ += (capacity - grown.capacity) * sizeof(uint32_t);
    grown.words = std::move(bigger);
    grown.capacity = capacity;
  }
  if (count > 0) std::memcpy(grown.words.get() + at, words, count * sizeof(uint32_t));
  grown.size = at + count;
  std::lock_guard lock(mutex_);
  if (array >= arrays_.size()) arrays_.resize(array + 1);
  arrays_[array] = std::move(grown);
}

std::vector<ColumnStore::Array> ColumnStore::arrays() const {
  std::lock_guard lock(mutex_);
  return arrays_;
}

}  // namespace seine
