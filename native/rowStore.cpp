#include "rowStore.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "pool.h"

namespace seine {

std::shared_ptr<const Chunks> RowStore::chunks() {
  std::lock_guard lock(mutex_);
  return current_;
}

void RowStore::read(const uint32_t* ids, size_t n, float* values) {
  const auto current = chunks();
  const size_t count = count_;
  for (size_t i = 0; i < n; i++) {
    if (ids[i] >= count) throw Error("ERR_INTERNAL", "A row is read that there is not.");
    const float* row =
        (*current)[ids[i] >> layout.shift]->values + (ids[i] & (layout.rowsPerChunk - 1)) * layout.stride;
    std::memcpy(values + i * layout.dim, row, layout.dim * sizeof(float));
  }
}

RowAppend::RowAppend(std::shared_ptr<RowStore> store, Borrowed data)
    : store_(std::move(store)),
      data_(std::move(data)),
      first_(store_->count()),
      rows_(data_.size() / store_->layout.dim) {
  const Layout& layout = store_->layout;
  try {
    chunks_ = std::make_shared<Chunks>(*store_->chunks());
    const size_t end = first_ + rows_;
    while (chunks_->size() * layout.rowsPerChunk < end) {
      const bool full = (chunks_->size() + 1) * layout.rowsPerChunk <= end;
      chunks_->push_back(std::make_shared<Chunk>(layout, full));
    }
  } catch (const std::bad_alloc&) {
    throw outOfMemory("Memory for rows", rows_ * layout.rowBytes());
  }
}

void RowAppend::copy(std::function<void(std::optional<Error>)> copied) {
  const unsigned shift = store_->layout.shift;
  const size_t slices = rows_ == 0 ? 0 : ((first_ + rows_ - 1) >> shift) - (first_ >> shift) + 1;
  const auto self = shared_from_this();
  submit(
      slices, [self](size_t slice) { self->copySlice(slice); },
      [self, copied = std::move(copied)] {
        if (self->gone_) return copied(Error("ERR_CLOSED", "The environment ended during an append."));
        copied(std::nullopt);
      });
}

/// Rows of the append that lie in the chunk of number `slice` after the first one touched.
void RowAppend::copySlice(size_t slice) {
  const Layout& layout = store_->layout;
  const size_t chunk = (first_ >> layout.shift) + slice;
  const size_t begin = std::max(first_, chunk << layout.shift);
  const size_t end = std::min(first_ + rows_, (chunk + 1) << layout.shift);
  const bool there = data_.read([&](const float* values) {
    (*chunks_)[chunk]->write(layout, begin & (layout.rowsPerChunk - 1),
                             values + (begin - first_) * layout.dim, end - begin);
  });
  if (!there) gone_ = true;
}

void RowAppend::commit() {
  std::lock_guard lock(store_->mutex_);
  store_->current_ = chunks_;
  store_->count_ += rows_;
}

}  // namespace seine
