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
#include "rescoreOnPool.h"
#include "rowStore.h"

namespace seine {
namespace {

/// What lies on the device: freed on the lane that writes, wherever the last owner ends.
struct Residence {
  static std::shared_ptr<Residence> make(CudaDevice& device, const Layout& layout) {
    return {new Residence(device, layout), [](Residence* residence) {
              residence->device.writeLane().post([residence] { delete residence; });
            }};
  }
  ~Residence() { device.leave(); }

  CudaDevice& device;
  CudaRows rows;
  CudaColumns columns;

 private:
  Residence(CudaDevice& device, const Layout& layout) : device(device), rows(layout) { device.enter(); }
};

/// Runs `op(residence)` on a lane, then lets go of the residence before `done`, so that a dispose frees it at
/// once.
template <typename Op>
void runOn(CudaLane& lane, const char* what, std::shared_ptr<Residence> residence, Done done, Op op) {
  lane.post(
      [&lane, what, residence = std::move(residence), done = std::move(done), op = std::move(op)]() mutable {
        std::optional<Error> failed = lane.run(what, [&] { op(*residence); });
        residence.reset();
        done(std::move(failed));
      });
}

class CudaResident : public Rows {
 public:
  CudaResident(CudaDevice& device, const Layout& layout)
      : device_(device),
        store_(std::make_shared<RowStore>(layout)),
        residence_(Residence::make(device, layout)) {}

  /// On the host and, without what is kept beside a row but its weight, on the device.
  size_t bytes() const override {
    const Layout& layout = store_->layout;
    const size_t weight = isDistance(layout.metric) ? 0 : sizeof(float);
    const size_t facts = layout.metric == Metric::l2 ? 3 : 2;
    const size_t codes = layout.codeStride == 0 ? 0 : layout.codeStride + facts * sizeof(float);
    const size_t scale = layout.dtype == Dtype::int8 ? sizeof(float) : 0;
    const size_t features = layout.features * sizeof(float);
    const size_t row = layout.bytesOf(layout.stride) + weight + scale + features + codes;
    return store_->bytes() + store_->count() * row + residence_->columns.bytes();
  }

  void append(Borrowed<StoredRows> data, Done done) override {
    const auto append = std::make_shared<RowAppend>(store_, std::move(data));
    append->copy([append, residence = residence_, done = std::move(done)](auto failure) mutable {
      if (failure) {
        residence.reset();
        return done(std::move(failure));
      }
      CudaLane& lane = residence->device.writeLane();
      runOn(lane, "an append", std::move(residence), std::move(done), [&lane, append](Residence& on) {
        on.rows.append(lane, append->chunks(), append->first(), append->rows());
        append->commit();
      });
    });
  }

  size_t count() const override { return store_->count(); }

  void read(const uint32_t* ids, size_t n, uint8_t* numbers, float* scales, float* features) const override {
    store_->read(ids, n, numbers, scales, features);
  }

  void search(std::shared_ptr<SearchTask> task, Done done) override {
    if (task->documents.empty() && task->count > store_->count()) {
      throw Error("ERR_INTERNAL", "A search names more rows than there are.");
    }
    auto search =
        std::make_shared<CudaSearch>(store_->layout, store_->chunks(), std::move(task), std::move(done));
    CudaLane& lane = device_.freeLane();
    lane.post([search = std::move(search), residence = residence_, &lane]() mutable {
      search->scan(lane, residence->rows);
      residence.reset();
      search->rank();
    });
  }

  void rescore(std::shared_ptr<RescoreTask> task, Done done) override {
    // Documents are on the pool, which ranks those of a search, too.
    if (!task->documents.empty()) {
      return rescoreOnPool(store_->layout, store_->chunks(), std::move(task), std::move(done));
    }
    CudaLane& lane = device_.freeLane();
    runOn(lane, "rescoring", residence_, std::move(done),
          [&lane, task = std::move(task), layout = store_->layout, count = store_->count()](Residence& on) {
            rescoreOnCuda(lane, on.rows, layout, count, *task);
          });
  }

  void writeColumn(size_t array, size_t at, Borrowed<Words> words, Done done) override {
    CudaLane& lane = device_.writeLane();
    runOn(lane, "writing a column", residence_, std::move(done),
          [&lane, array, at, words = std::move(words)](Residence& on) {
            std::vector<uint32_t> copy;
            const bool there =
                words.read([&](const Words& given) { copy.assign(given.data, given.data + given.size); });
            if (!there) throw Error("ERR_CLOSED", "The environment ended meanwhile.");
            on.columns.write(lane, array, at, copy);
          });
  }

  void filter(std::shared_ptr<FilterTask> task, Done done) override {
    CudaLane& lane = device_.freeLane();
    runOn(lane, "a filter", residence_, std::move(done),
          [&lane, task = std::move(task)](Residence& on) { on.columns.filter(lane, *task); });
  }

 private:
  CudaDevice& device_;
  const std::shared_ptr<RowStore> store_;
  const std::shared_ptr<Residence> residence_;
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
  /// Runs an op on scores on a lane.
  template <typename Task>
  void run(std::shared_ptr<Task> task, Done done, bool (*op)(CudaLane&, Task&)) {
    CudaLane& lane = device_.freeLane();
    lane.post([&lane, task = std::move(task), op, done = std::move(done)] {
      done(lane.run("a selection", [&] {
        task->ids.resize(task->q * task->k);
        task->best.resize(task->q * task->k);
        if (!op(lane, *task)) throw Error("ERR_CLOSED", "The environment ended meanwhile.");
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
          CudaDevice& device = CudaDevice::get();
          if (const std::optional<Error> lost = device.lost()) return done(lost);
          *opened = std::make_unique<CudaBackend>(device);
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
