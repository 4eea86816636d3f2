// The SIMD device: rows in host memory, scanned by the pool.
#include <string>
#include <utility>

#include "../kernels/scan.h"
#include "backend.h"
#include "cpuSearch.h"
#include "pool.h"
#include "rowStore.h"

namespace seine {
namespace {

class CpuRows : public Rows {
 public:
  CpuRows(size_t dim, Metric metric, const ScanKernel& kernel)
      : store_(std::make_shared<RowStore>(dim, metric)), kernel_(kernel) {}

  size_t bytes() const override { return store_->bytes(); }

  void append(Borrowed data, Done done) override {
    const auto append = std::make_shared<RowAppend>(store_, std::move(data));
    append->copy([append, done = std::move(done)](std::optional<Error> failure) {
      if (!failure) append->commit();
      done(std::move(failure));
    });
  }

  void read(const uint32_t* ids, size_t n, float* values) const override { store_->read(ids, n, values); }

  void search(std::shared_ptr<SearchTask> task, Done done) override {
    auto chunks = store_->chunks();
    if (task->count > chunks->size() * store_->layout.rowsPerChunk) {
      throw Error("ERR_INTERNAL", "A search names more rows than there are.");
    }
    std::make_shared<CpuSearch>(store_->layout, std::move(chunks), kernel_, std::move(task), std::move(done))
        ->start();
  }

 private:
  const std::shared_ptr<RowStore> store_;
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
