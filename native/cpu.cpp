// The SIMD device: rows in host memory, scanned by the pool.
#include <string>
#include <utility>

#include "../kernels/isa.h"
#include "backend.h"
#include "columnStore.h"
#include "cpuSearch.h"
#include "filterOnPool.h"
#include "pool.h"
#include "poolTasks.h"
#include "rescoreOnPool.h"
#include "rowStore.h"

namespace seine {
namespace {

class CpuRows : public Rows {
 public:
  CpuRows(const Layout& layout, const Isa& isa)
      : store_(std::make_shared<RowStore>(layout, *isa.encode)), isa_(isa) {}

  size_t bytes() const override { return store_->bytes() + columns_->bytes(); }
  size_t count() const override { return store_->count(); }

  ScanTotals scanTotals() const override { return {counts_->queries, counts_->open, counts_->scored}; }

  std::optional<size_t> take(Borrowed<StoredRows> data) override {
    if (store_->layout.dtype != Dtype::f32) return std::nullopt;
    taken_ = std::make_shared<RowAppend>(store_, std::move(data));
    return taken_->take();
  }

  void appendTaken(Done done) override {
    if (!taken_) return Rows::appendTaken(std::move(done));
    const auto append = std::exchange(taken_, nullptr);
    append->measure(committing(append, std::move(done)));
  }

  void append(Borrowed<StoredRows> data, Done done) override {
    taken_ = nullptr;
    const auto append = std::make_shared<RowAppend>(store_, std::move(data));
    append->copy(committing(append, std::move(done)));
  }

  void read(const uint32_t* ids, size_t n, uint8_t* numbers, float* scales, float* features) const override {
    store_->read(ids, n, numbers, scales, features);
  }

  void search(std::shared_ptr<SearchTask> task, Done done) override {
    auto chunks = store_->chunks();
    const size_t rows = task->documents.empty() ? task->count : task->documents.back();
    if (rows > chunks->size() * store_->layout.rowsPerChunk) {
      throw Error("ERR_INTERNAL", "A search names more rows than there are.");
    }
    std::make_shared<CpuSearch>(store_->layout, std::move(chunks), isa_, std::move(task), counts_,
                                std::move(done))
        ->start();
  }

  void rescore(std::shared_ptr<RescoreTask> task, Done done) override {
    rescoreOnPool(store_->layout, store_->chunks(), std::move(task), std::move(done));
  }

  void writeColumn(size_t array, size_t at, Borrowed<Words> words, Done done) override {
    writeOnPool(columns_, array, at, std::move(words), std::move(done));
  }

  void filter(std::shared_ptr<FilterTask> task, Done done) override {
    filterOnPool(*columns_, std::move(task), std::move(done));
  }

 private:
  static Done committing(std::shared_ptr<RowAppend> append, Done done) {
    return [append = std::move(append), done = std::move(done)](std::optional<Error> failure) {
      if (!failure) append->commit();
      done(std::move(failure));
    };
  }

  const std::shared_ptr<RowStore> store_;
  std::shared_ptr<RowAppend> taken_;
  const std::shared_ptr<ColumnStore> columns_ = std::make_shared<ColumnStore>();
  const std::shared_ptr<ScanCounts> counts_ = std::make_shared<ScanCounts>();
  const Isa& isa_;
};

class CpuBackend : public Backend {
 public:
  CpuBackend(const Isa& isa, size_t threads, bool coded) : isa_(isa), threads_(threads), coded_(coded) {}

  std::string description() const override {
    return std::string(isa_.name) + ", " + std::to_string(threads_) +
           (threads_ == 1 ? " thread" : " threads");
  }

  std::unique_ptr<Rows> createRows(size_t dim, Metric metric, Dtype dtype, size_t features,
                                   bool coded) override {
    const bool codes = coded_ && coded && dtype == Dtype::f32;
    return std::make_unique<CpuRows>(Layout(dim, metric, dtype, codes, features), isa_);
  }

  void select(std::shared_ptr<SelectTask> task, Done done) override {
    selectOnPool(std::move(task), std::move(done));
  }
  void merge(std::shared_ptr<MergeTask> task, Done done) override {
    mergeOnPool(std::move(task), std::move(done));
  }

 private:
  const Isa& isa_;
  const size_t threads_;
  const bool coded_;
};

}  // namespace

std::unique_ptr<Backend> openCpu(const std::string& isa, size_t threads, bool coded) {
  std::string known;
  for (const Isa* one = supportedIsas(); one->name != nullptr; one++) {
    if (isa.empty() || isa == one->name) {
      return std::make_unique<CpuBackend>(*one, startPool(threads), coded);
    }
    known += std::string(known.empty() ? "" : ", ") + one->name;
  }
  throw Error("ERR_DEVICE_UNAVAILABLE", "The instruction set must be one of those this machine has (" +
                                            known + "), got '" + isa + "': correct or unset SEINE_ISA.");
}

}  // namespace seine
