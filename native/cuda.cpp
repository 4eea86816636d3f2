// The CUDA device behind the interface of all devices. Rows lie on the host, too: there the canonical scores
// of the candidates are computed, by the same code as for the SIMD device.
#include <optional>
#include <string>
#include <utility>

#include "backend.h"
#include "cudaColumns.h"
#include "cudaDevice.h"
#include "cudaRescore.h"
#include "cudaRows.h"
#include "cudaScores.h"
#include "cudaSearch.h"
#include "pool.h"
#include "rowStore.h"

namespace seine {
namespace {

constexpr const char* kNoMaxsim = "maxsim is not there on the CUDA device yet.";

/// Runs `step` and returns what it threw, if anything; memory that ran out is told by `what` was done.
template <typename Step>
std::optional<Error> failureOf(const char* what, Step step) {
  try {
    step();
    return std::nullopt;
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error("ERR_OUT_OF_MEMORY", std::string("Memory ran out on the host during ") + what + ".");
  }
}

class CudaResident : public Rows {
 public:
  CudaResident(CudaDevice& device, const Layout& layout)
      : device_(device),
        store_(std::make_shared<RowStore>(layout)),
        // The device's memory is freed on its thread, wherever the last owner ends.
        rows_(new CudaRows(device, store_->layout),
              [&device](CudaRows* rows) { device.post([rows] { delete rows; }); }),
        columns_(new CudaColumns(device),
                 [&device](CudaColumns* columns) { device.post([columns] { delete columns; }); }) {}

  /// On the host and, without what is kept beside a row but its weight, on the device.
  size_t bytes() const override {
    const Layout& layout = store_->layout;
    const size_t weight = isDistance(layout.metric) ? 0 : sizeof(float);
    const size_t facts = layout.metric == Metric::l2 ? 3 : 2;
    const size_t codes = layout.codeStride == 0 ? 0 : layout.codeStride + facts * sizeof(float);
    const size_t scale = layout.dtype == Dtype::int8 ? sizeof(float) : 0;
    const size_t features = layout.features * sizeof(float);
    const size_t row = layout.bytesOf(layout.stride) + weight + scale + features + codes;
    return store_->bytes() + store_->count() * row + columns_->bytes();
  }

  void append(Borrowed<StoredRows> data, Done done) override {
    const auto append = std::make_shared<RowAppend>(store_, std::move(data));
    // Whoever works with the rows lets go of them before `done`, so that a dispose frees them at once.
    append->copy([append, rows = rows_, &device = device_, done = std::move(done)](auto failure) mutable {
      if (failure) {
        rows.reset();
        return done(std::move(failure));
      }
      device.post([append, rows = std::move(rows), done = std::move(done)]() mutable {
        std::optional<Error> failed = failureOf("an append", [&] {
          rows->append(append->chunks(), append->first(), append->rows());
          append->commit();
        });
        rows.reset();
        done(std::move(failed));
      });
    });
  }

  size_t count() const override { return store_->count(); }

  void read(const uint32_t* ids, size_t n, uint8_t* numbers, float* scales, float* features) const override {
    store_->read(ids, n, numbers, scales, features);
  }

  void search(std::shared_ptr<SearchTask> task, Done done) override {
    if (!task->documents.empty()) throw Error("ERR_ARGUMENT", kNoMaxsim);
    if (task->count > store_->count()) {
      throw Error("ERR_INTERNAL", "A search names more rows than there are.");
    }
    auto search =
        std::make_shared<CudaSearch>(store_->layout, store_->chunks(), std::move(task), std::move(done));
    device_.post([search = std::move(search), rows = rows_, &device = device_]() mutable {
      search->scan(device, *rows);
      rows.reset();
      search->rank();
    });
  }

  void rescore(std::shared_ptr<RescoreTask> task, Done done) override {
    if (!task->documents.empty()) throw Error("ERR_ARGUMENT", kNoMaxsim);
    device_.post([task = std::move(task), rows = rows_, store = store_, count = store_->count(),
                  &device = device_, done = std::move(done)]() mutable {
      std::optional<Error> failed =
          failureOf("rescoring", [&] { rescoreOnCuda(device, *rows, store->layout, count, *task); });
      rows.reset();
      done(std::move(failed));
    });
  }

  void writeColumn(size_t array, size_t at, Borrowed<Words> words, Done done) override {
    device_.post([array, at, words = std::move(words), columns = columns_, done = std::move(done)]() mutable {
      std::optional<Error> failed = failureOf("writing a column", [&] {
        std::vector<uint32_t> copy;
        const bool there =
            words.read([&](const Words& given) { copy.assign(given.data, given.data + given.size); });
        if (!there) throw Error("ERR_CLOSED", "The environment ended meanwhile.");
        columns->write(array, at, copy);
      });
      columns.reset();
      done(std::move(failed));
    });
  }

  void filter(std::shared_ptr<FilterTask> task, Done done) override {
    device_.post([task = std::move(task), columns = columns_, done = std::move(done)]() mutable {
      std::optional<Error> failed = failureOf("a filter", [&] { columns->filter(*task); });
      columns.reset();
      done(std::move(failed));
    });
  }

 private:
  CudaDevice& device_;
  const std::shared_ptr<RowStore> store_;
  const std::shared_ptr<CudaRows> rows_;
  const std::shared_ptr<CudaColumns> columns_;
};

class CudaBackend : public Backend {
 public:
  explicit CudaBackend(CudaDevice& device) : device_(device) {}

  std::string description() const override { return device_.description(); }

  std::unique_ptr<Rows> createRows(size_t dim, Metric metric, Dtype dtype, size_t features,
                                   bool coded) override {
    const Layout layout(dim, metric, dtype, coded && dtype == Dtype::f32, features);
    return std::make_unique<CudaResident>(device_, layout);
  }

  void select(std::shared_ptr<SelectTask> task, Done done) override {
    run(std::move(task), std::move(done), selectOnCuda);
  }
  void merge(std::shared_ptr<MergeTask> task, Done done) override {
    run(std::move(task), std::move(done), mergeOnCuda);
  }

 private:
  /// Runs an op on scores on the device's thread.
  template <typename Task>
  void run(std::shared_ptr<Task> task, Done done, bool (*op)(CudaDevice&, Task&)) {
    device_.post([task = std::move(task), op, &device = device_, done = std::move(done)] {
      done(failureOf("a selection", [&] {
        task->ids.resize(task->q * task->k);
        task->best.resize(task->q * task->k);
        if (!op(device, *task)) throw Error("ERR_CLOSED", "The environment ended meanwhile.");
      }));
    });
  }

  CudaDevice& device_;
};

}  // namespace

void openCuda(size_t threads, std::shared_ptr<std::unique_ptr<Backend>> opened, Done done) {
  startPool(threads);
  submit(
      1,
      [opened, done](size_t) {
        try {
          *opened = std::make_unique<CudaBackend>(CudaDevice::get());
          done(std::nullopt);
        } catch (const Error& error) {
          done(error);
        } catch (const std::exception& error) {
          done(Error("ERR_INTERNAL", std::string("The CUDA device could not be opened: ") + error.what()));
        }
      },
      [] {});
}

}  // namespace seine
