// CUDA devices behind the interface of all devices, as one. Rows lie on the host, too: there the canonical
// scores of the candidates are computed, by the same code as for the SIMD device.
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "backend.h"
#include "cudaColumns.h"
#include "cudaDevice.h"
#include "cudaPlacement.h"
#include "cudaRescore.h"
#include "cudaRows.h"
#include "cudaScores.h"
#include "cudaSearch.h"
#include "pool.h"
#include "rescoreOnPool.h"
#include "rowStore.h"

namespace seine {
namespace {

using CudaDevices = std::vector<CudaDevice*>;

/// What lies on a device: freed on the lane that writes, wherever the last owner ends.
struct Residence {
  static std::shared_ptr<Residence> make(CudaDevice& device, const Layout& layout,
                                         const CudaPlacement& placement, size_t number) {
    return {new Residence(device, layout, placement, number), [](Residence* residence) {
              residence->device.writeLane().post([residence] { delete residence; });
            }};
  }
  ~Residence() { device.leave(); }

  CudaDevice& device;
  CudaRows rows;
  CudaColumns columns;

 private:
  Residence(CudaDevice& device, const Layout& layout, const CudaPlacement& placement, size_t number)
      : device(device), rows(layout, placement, number) {
    device.enter();
  }
};
using Residences = std::vector<std::shared_ptr<Residence>>;

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

/// What each of `parts` parts is to call: the last one calls `done`, with a failure if there was one.
Done joined(size_t parts, Done done) {
  struct Join {
    std::mutex mutex;
    size_t left;
    std::optional<Error> failure;
  };
  const auto join = std::make_shared<Join>();
  join->left = parts;
  return [join, done = std::move(done)](std::optional<Error> failure) {
    {
      std::lock_guard lock(join->mutex);
      if (failure && !join->failure) join->failure = std::move(failure);
      if (--join->left > 0) return;
    }
    done(std::move(join->failure));
  };
}

class CudaResident : public Rows {
 public:
  CudaResident(const CudaDevices& devices, const Layout& layout, const CudaPlacement& placement)
      : store_(std::make_shared<RowStore>(layout)), placement_(placement) {
    for (size_t i = 0; i < placement.devices; i++) {
      residences_.push_back(Residence::make(*devices[i], layout, placement, i));
    }
  }

  /// On the host and, without what is kept beside a row but its weight, on the devices.
  size_t bytes() const override {
    const Layout& layout = store_->layout;
    const size_t weight = isDistance(layout.metric) ? 0 : sizeof(float);
    const size_t facts = layout.metric == Metric::l2 ? 3 : 2;
    const size_t codes = layout.codeStride == 0 ? 0 : layout.codeStride + facts * sizeof(float);
    const size_t scale = layout.dtype == Dtype::int8 ? sizeof(float) : 0;
    const size_t features = layout.features * sizeof(float);
    const size_t row = layout.bytesOf(layout.stride) + weight + scale + features + codes;
    return store_->bytes() + store_->count() * row + residences_[0]->columns.bytes();
  }

  void append(Borrowed<StoredRows> data, Done done) override {
    const auto append = std::make_shared<RowAppend>(store_, std::move(data));
    append->copy([append, residences = residences_, done = std::move(done)](auto failure) mutable {
      if (failure) {
        residences.clear();
        return done(std::move(failure));
      }
      const Done end = joined(residences.size(), [append, done = std::move(done)](auto failed) {
        if (!failed) append->commit();
        done(std::move(failed));
      });
      for (std::shared_ptr<Residence>& residence : residences) {
        CudaLane& lane = residence->device.writeLane();
        runOn(lane, "an append", std::move(residence), end, [&lane, append](Residence& on) {
          on.rows.append(lane, append->chunks(), append->first(), append->rows());
        });
      }
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
    const auto search = std::make_shared<CudaSearch>(store_->layout, store_->chunks(), task, std::move(done));
    if (residences_.size() > 1) return searchParts(search, *task);
    CudaLane& lane = residences_[0]->device.freeLane();
    lane.post([search, residence = residences_[0], &lane]() mutable {
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
    task->scores.resize(task->pairRows.size());
    const Done end = joined(residences_.size(), std::move(done));
    for (size_t i = 0; i < residences_.size(); i++) {
      const auto part = partOf(*task, placement_, i);
      if (part->pairs.empty()) {
        end(std::nullopt);
        continue;
      }
      CudaLane& lane = residences_[i]->device.freeLane();
      const size_t count = placement_.countOn(i, store_->count());
      runOn(lane, "rescoring", residences_[i], end,
            [&lane, task, part, layout = store_->layout, count](Residence& on) {
              rescoreOnCuda(lane, on.rows, layout, count, part->task);
              for (size_t j = 0; j < part->pairs.size(); j++) {
                task->scores[part->pairs[j]] = part->task.scores[j];
              }
            });
    }
  }

  void writeColumn(size_t array, size_t at, Borrowed<Words> words, Done done) override {
    CudaLane& lane = residences_[0]->device.writeLane();
    runOn(lane, "writing a column", residences_[0], std::move(done),
          [&lane, array, at, words = std::move(words)](Residence& on) {
            std::vector<uint32_t> copy;
            const bool there =
                words.read([&](const Words& given) { copy.assign(given.data, given.data + given.size); });
            if (!there) throw Error("ERR_CLOSED", "The environment ended meanwhile.");
            on.columns.write(lane, array, at, copy);
          });
  }

  void filter(std::shared_ptr<FilterTask> task, Done done) override {
    CudaLane& lane = residences_[0]->device.freeLane();
    runOn(lane, "a filter", residences_[0], std::move(done),
          [&lane, task = std::move(task)](Residence& on) { on.columns.filter(lane, *task); });
  }

 private:
  /// Every device finds candidates among its rows; all of them are ranked together.
  void searchParts(const std::shared_ptr<CudaSearch>& search, const SearchTask& task) {
    const Done end = joined(residences_.size(), [search](auto) { search->rank(); });
    for (size_t i = 0; i < residences_.size(); i++) {
      auto own = partOf(task, placement_, i);
      if (own->count == 0) {
        end(std::nullopt);
        continue;
      }
      CudaLane& lane = residences_[i]->device.freeLane();
      lane.post([search, part = std::make_shared<CudaSearch>(search, std::move(own)), end, i,
                 placement = placement_, residence = residences_[i], &lane]() mutable {
        part->scan(lane, residence->rows);
        residence.reset();
        search->take(*part, placement, i);
        end(std::nullopt);
      });
    }
  }

  const std::shared_ptr<RowStore> store_;
  const CudaPlacement placement_;
  Residences residences_;  // columns, and so filters, on the first one
};

class CudaBackend : public Backend {
 public:
  CudaBackend(CudaDevices devices, size_t blockRows) : devices_(std::move(devices)), blockRows_(blockRows) {}

  std::string description() const override {
    std::string all;
    for (const CudaDevice* device : devices_) all += (all.empty() ? "" : "; ") + device->description();
    return all;
  }

  std::unique_ptr<Rows> createRows(size_t dim, Metric metric, Dtype dtype, size_t features,
                                   bool coded) override {
    const Layout layout(dim, metric, dtype, coded && dtype == Dtype::f32, features);
    // Documents of several tokens, which have no codes, are not split.
    const bool split = coded && devices_.size() > 1;
    const CudaPlacement placement = split ? CudaPlacement{devices_.size(), blockRows_} : CudaPlacement();
    return std::make_unique<CudaResident>(devices_, layout, placement);
  }

  void select(std::shared_ptr<SelectTask> task, Done done) override {
    run(std::move(task), std::move(done), selectOnCuda);
  }
  void merge(std::shared_ptr<MergeTask> task, Done done) override {
    run(std::move(task), std::move(done), mergeOnCuda);
  }

 private:
  /// Runs an op on scores on a lane of the first device.
  template <typename Task>
  void run(std::shared_ptr<Task> task, Done done, bool (*op)(CudaLane&, Task&)) {
    CudaLane& lane = devices_[0]->freeLane();
    lane.post([&lane, task = std::move(task), op, done = std::move(done)] {
      done(lane.run("a selection", [&] {
        task->ids.resize(task->q * task->k);
        task->best.resize(task->q * task->k);
        if (!op(lane, *task)) throw Error("ERR_CLOSED", "The environment ended meanwhile.");
      }));
    });
  }

  const CudaDevices devices_;
  const size_t blockRows_;
};

/// Those with these numbers, or the first one that can be used.
CudaDevices usable(const std::vector<int>& ordinals) {
  CudaDevices devices;
  for (const int ordinal : ordinals) devices.push_back(&CudaDevice::get(ordinal));
  if (devices.empty()) devices.push_back(&CudaDevice::first());
  for (const CudaDevice* device : devices) {
    if (const std::optional<Error> lost = device->lost()) throw *lost;
  }
  return devices;
}

}  // namespace

void openCuda(size_t threads, std::vector<int> ordinals, size_t blockRows,
              std::shared_ptr<std::unique_ptr<Backend>> opened, Done done) {
  startPool(threads);
  submit(
      1,
      [ordinals = std::move(ordinals), blockRows, opened, done](size_t) {
        try {
          *opened = std::make_unique<CudaBackend>(usable(ordinals), blockRows);
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
