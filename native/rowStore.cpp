#include "rowStore.h"

#include <algorithm>
#include <cstring>
#include <thread>
#include <utility>

#include "finite.h"
#include "pool.h"

namespace seine {
namespace {

constexpr size_t kSlicesPerChunk = 8;
/// With as many chunks before it a chunk gets large pages even if few of its rows are there: faults of small
/// pages take longer than a copy.
constexpr size_t kManyChunks = 4;

/// Rows of a task; a slice lies in one chunk.
size_t sliceRows(const Layout& layout) { return layout.rowsPerChunk / kSlicesPerChunk; }

}  // namespace

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
      const bool full = chunks_->size() >= kManyChunks || (chunks_->size() + 1) * layout.rowsPerChunk <= end;
      chunks_->push_back(std::make_shared<Chunk>(layout, full));
    }
  } catch (const std::bad_alloc&) {
    throw outOfMemory("Memory for rows", rows_ * layout.rowBytes());
  }
}

size_t RowAppend::slices() const {
  return rows_ == 0
             ? 0
             : (first_ + rows_ - 1) / sliceRows(store_->layout) - first_ / sliceRows(store_->layout) + 1;
}

RowAppend::Slice RowAppend::slice(size_t number) const {
  const Layout& layout = store_->layout;
  const size_t place = first_ / sliceRows(layout) + number;
  const size_t begin = std::max(first_, place * sliceRows(layout));
  const size_t end = std::min(first_ + rows_, (place + 1) * sliceRows(layout));
  return {*(*chunks_)[begin >> layout.shift], begin & (layout.rowsPerChunk - 1), begin - first_, end - begin};
}

StoredRows RowAppend::dataOf(const StoredRows& data, const Slice& slice) const {
  const Layout& layout = store_->layout;
  return {data.numbers + slice.skipped * layout.storedBytes(),
          layout.dtype == Dtype::int8 ? data.scales + slice.skipped : nullptr, slice.count,
          data.features + slice.skipped * layout.features};
}

void RowAppend::copy(Copied copied) {
  run(
      [this](const Slice& slice) {
        const Layout& layout = store_->layout;
        const bool there = data_.read(
            [&](const StoredRows& data) { slice.chunk.copy(layout, slice.slot, dataOf(data, slice)); });
        if (!there) gone_ = true;
        if (there) slice.chunk.measure(layout, store_->encode, slice.slot, slice.count);
      },
      std::move(copied));
}

void RowAppend::measure(Copied measured) {
  run(
      [this](const Slice& slice) {
        slice.chunk.measure(store_->layout, store_->encode, slice.slot, slice.count);
      },
      std::move(measured));
}

template <typename Step>
void RowAppend::run(Step step, Copied finished) {
  const auto self = shared_from_this();
  submit(
      slices(), [self, step](size_t number) { step(self->slice(number)); },
      [self, finished = std::move(finished)] {
        if (self->gone_) return finished(Error("ERR_CLOSED", "The environment ended during an append."));
        finished(std::nullopt);
      });
}

size_t RowAppend::take() {
  struct Taking {
    std::atomic<size_t> next{0}, left, first;
  };
  const Layout& layout = store_->layout;
  const StoredRows& data = data_.memory();
  const size_t total = slices(), numbers = rows_ * layout.dim;
  const auto taking = std::make_shared<Taking>();
  taking->left = total;
  taking->first = numbers;
  // A thread that comes when all slices are given out touches nothing but `taking`.
  const auto work = [self = shared_from_this(), taking, total, &layout, &data] {
    for (size_t number; (number = taking->next++) < total; taking->left--) {
      const Slice slice = self->slice(number);
      slice.chunk.copy(layout, slice.slot, self->dataOf(data, slice));
      // Of the copy: memory that threads share may change meanwhile.
      const size_t count = slice.count * layout.stride;
      const size_t bad = firstNotFinite(slice.chunk.floats(layout, slice.slot), count);
      if (bad == count) continue;
      const size_t at = (slice.skipped + bad / layout.stride) * layout.dim + bad % layout.stride;
      for (size_t known = taking->first; at < known && !taking->first.compare_exchange_weak(known, at);) {
      }
    }
  };
  if (total > 1)
    submit(
        total - 1, [work](size_t) { work(); }, [] {});
  work();
  while (taking->left > 0) std::this_thread::yield();
  return taking->first;
}

void RowAppend::commit() {
  std::lock_guard lock(store_->mutex_);
  store_->current_ = chunks_;
  store_->count_ += rows_;
}

}  // namespace seine
