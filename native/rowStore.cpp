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

void RowStore::read(const uint32_t* ids, size_t n, uint8_t* numbers, float* scales, float* features) {
  const auto current = chunks();
  const size_t count = count_, bytes = layout.storedBytes();
  for (size_t i = 0; i < n; i++) {
    if (ids[i] >= count) throw Error("ERR_INTERNAL", "A row is read that there is not.");
    const Chunk& chunk = *(*current)[ids[i] >> layout.shift];
    const size_t slot = ids[i] & (layout.rowsPerChunk - 1);
    std::memcpy(numbers + i * bytes, chunk.row(layout, slot), bytes);
    if (layout.dtype == Dtype::int8) scales[i] = chunk.factors[slot];
    std::copy_n(chunk.featuresOf(layout, slot), layout.features, features + i * layout.features);
  }
}

RowAppend::RowAppend(std::shared_ptr<RowStore> store, Borrowed<StoredRows> data)
    : store_(std::move(store)), data_(std::move(data)), first_(store_->count()), rows_(data_.memory().count) {
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
  const size_t skipped = begin - first_;
  const bool there = data_.read([&](const StoredRows& data) {
    const float* const scales = layout.dtype == Dtype::int8 ? data.scales + skipped : nullptr;
    (*chunks_)[chunk]->write(layout, begin & (layout.rowsPerChunk - 1),
                             {data.numbers + skipped * layout.storedBytes(), scales, end - begin,
                              data.features + skipped * layout.features});
  });
  if (!there) gone_ = true;
}

void RowAppend::commit() {
  std::lock_guard lock(store_->mutex_);
  store_->current_ = chunks_;
  store_->count_ += rows_;
}

}  // namespace seine
