// The SIMD device: rows in host memory, scanned by the pool.
#include <algorithm>
#include <mutex>
#include <string>
#include <utility>

#include "../kernels/scan.h"
#include "backend.h"
#include "chunk.h"
#include "cpuSearch.h"
#include "pool.h"

namespace seine {
namespace {

/// State that outlives the rows while an append is under way.
struct Store {
  explicit Store(size_t dim, Metric metric) : layout(dim, metric) {}

  std::shared_ptr<const Chunks> chunks() {
    std::lock_guard lock(mutex);
    return current;
  }

  const Layout layout;
  std::mutex mutex;
  std::shared_ptr<const Chunks> current = std::make_shared<const Chunks>();
  std::atomic<size_t> count{0};
};

/// One append: copies slices on the pool, then shows the rows.
struct Append {
  Append(std::shared_ptr<Store> store, Borrowed data, Done done)
      : store(std::move(store)),
        data(std::move(data)),
        done(std::move(done)),
        first(this->store->count),
        rows(this->data.size() / this->store->layout.dim) {}

  /// The chunks before and those that the new rows need.
  void allocate() {
    const Layout& layout = store->layout;
    chunks = std::make_shared<Chunks>(*store->chunks());
    const size_t end = first + rows;
    while (chunks->size() * layout.rowsPerChunk < end) {
      const bool full = (chunks->size() + 1) * layout.rowsPerChunk <= end;
      chunks->push_back(std::make_shared<Chunk>(layout, full));
    }
  }

  /// Rows of the append that lie in the chunk of number `slice` after the first one touched.
  void copySlice(size_t slice) {
    const Layout& layout = store->layout;
    const size_t chunk = (first >> layout.shift) + slice;
    const size_t begin = std::max(first, chunk << layout.shift);
    const size_t end = std::min(first + rows, (chunk + 1) << layout.shift);
    const bool there = data.read([&](const float* values) {
      (*chunks)[chunk]->write(layout, begin & (layout.rowsPerChunk - 1),
                              values + (begin - first) * layout.dim, end - begin);
    });
    if (!there) gone = true;
  }

  void finish() {
    if (gone) return done(Error("ERR_CLOSED", "The environment ended during an append."));
    store->count += rows;
    {
      std::lock_guard lock(store->mutex);
      store->current = std::move(chunks);
    }
    done(std::nullopt);
  }

  std::shared_ptr<Store> store;
  Borrowed data;
  Done done;
  size_t first;
  size_t rows;
  std::shared_ptr<Chunks> chunks;
  std::atomic<bool> gone{false};
};

class CpuRows : public Rows {
 public:
  CpuRows(size_t dim, Metric metric, const ScanKernel& kernel)
      : store_(std::make_shared<Store>(dim, metric)), kernel_(kernel) {}

  size_t bytes() const override { return store_->count * store_->layout.rowBytes(); }

  void append(Borrowed data, Done done) override {
    const auto append = std::make_shared<Append>(store_, std::move(data), std::move(done));
    const Layout& layout = store_->layout;
    try {
      append->allocate();
    } catch (const std::bad_alloc&) {
      throw outOfMemory("Memory for rows", append->rows * layout.stride * sizeof(float));
    }
    const size_t end = append->first + append->rows;
    const size_t slices =
        append->rows == 0 ? 0 : ((end - 1) >> layout.shift) - (append->first >> layout.shift) + 1;
    submit(
        slices, [append](size_t slice) { append->copySlice(slice); }, [append] { append->finish(); });
  }

  void search(std::shared_ptr<SearchTask> task, Done done) override {
    auto chunks = store_->chunks();
    if (task->count > chunks->size() * store_->layout.rowsPerChunk) {
      throw Error("ERR_INTERNAL", "A search names more rows than there are.");
    }
    std::make_shared<CpuSearch>(store_->layout, std::move(chunks), kernel_, std::move(task), std::move(done))
        ->start();
  }

 private:
  const std::shared_ptr<Store> store_;
  const ScanKernel& kernel_;
};

class CpuBackend : public Backend {
 public:
  CpuBackend(const ScanKernel& kernel, size_t threads) : kernel_(kernel), threads_(threads) {}

  std::string description() const override {
    return std::string(kernel_.isa) + ", " + std::to_string(threads_) +
           (threads_ == 1 ? " thread" : " threads");
  }

  std::unique_ptr<Rows> createRows(size_t dim, Metric metric) override {
    return std::make_unique<CpuRows>(dim, metric, kernel_);
  }

 private:
  const ScanKernel& kernel_;
  const size_t threads_;
};

}  // namespace

std::unique_ptr<Backend> openCpu(const std::string& isa, size_t threads) {
  std::string known;
  for (const ScanKernel* const* kernel = supportedKernels(); *kernel != nullptr; kernel++) {
    if (isa.empty() || isa == (*kernel)->isa) {
      return std::make_unique<CpuBackend>(**kernel, startPool(threads));
    }
    known += std::string(known.empty() ? "" : ", ") + (*kernel)->isa;
  }
  throw Error("ERR_DEVICE_UNAVAILABLE", "The instruction set must be one of those this machine has (" +
                                            known + "), got '" + isa + "': correct or unset SEINE_ISA.");
}

}  // namespace seine
