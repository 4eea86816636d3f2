// Rows in host memory with what appends them: used by every device of the addon, since canonical scores are
// computed from here.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "../kernels/isa.h"
#include "borrowed.h"
#include "chunk.h"
#include "error.h"

namespace seine {

/// Outlives the rows that JavaScript holds while an append or a search is under way.
class RowStore {
 public:
  explicit RowStore(const Layout& layout, const EncodeKernel& encode = *supportedIsas()->encode)
      : layout(layout), encode(encode) {}

  /// The chunks as they are now; rows below a snapshot's count never change.
  std::shared_ptr<const Chunks> chunks();
  size_t count() const { return count_; }
  size_t bytes() const { return count_ * layout.rowBytes(); }
  /// Copies `n` rows as JavaScript holds them; throws Error if there is no such row.
  void read(const uint32_t* ids, size_t n, uint8_t* numbers, float* scales, float* features);

  const Layout layout;
  const EncodeKernel& encode;

 private:
  friend class RowAppend;
  std::mutex mutex_;
  std::shared_ptr<const Chunks> current_ = std::make_shared<const Chunks>();
  std::atomic<size_t> count_{0};
};

/// One append: rows are brought into memory by `copy`, or by `take` and `measure`; `commit` shows them. Never
/// two at a time.
class RowAppend : public std::enable_shared_from_this<RowAppend> {
 public:
  using Copied = std::function<void(std::optional<Error> failure)>;

  /// Makes room for `data`; throws Error.
  RowAppend(std::shared_ptr<RowStore> store, Borrowed<StoredRows> data);

  /// Copies on the pool, then calls `copied` on one of its threads.
  void copy(Copied copied);
  /// Copies float32 numbers at once, on this thread and those of the pool that are free. Returns the index of
  /// the first that is not finite, or their number; `data` is not read afterwards.
  size_t take();
  /// What `copy` does beside copying, of rows that were taken.
  void measure(Copied measured);
  void commit();

  /// Of the new rows; `chunks` holds the rows before, too.
  size_t first() const { return first_; }
  size_t rows() const { return rows_; }
  const Chunks& chunks() const { return *chunks_; }

 private:
  /// Rows of the append from `skipped` on that lie in one chunk.
  struct Slice {
    Chunk& chunk;
    size_t slot, skipped, count;
  };
  size_t slices() const;
  Slice slice(size_t number) const;
  /// Runs `step(slice)` for each slice on the pool, then `finished`.
  template <typename Step>
  void run(Step step, Copied finished);
  StoredRows dataOf(const StoredRows& data, const Slice& slice) const;

  const std::shared_ptr<RowStore> store_;
  const Borrowed<StoredRows> data_;
  const size_t first_;
  const size_t rows_;
  std::shared_ptr<Chunks> chunks_;
  std::atomic<bool> gone_{false};
};

}  // namespace seine
