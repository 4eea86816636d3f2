// Float32 rows into the forms in which they are stored, by the pool.
#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "../kernels/canonical.h"
#include "../kernels/dtype.h"
#include "environment.h"
#include "functions.h"
#include "isaNamed.h"
#include "pool.h"

namespace seine {
namespace {

constexpr size_t kSlice = 1 << 18;  // numbers of a task
constexpr double kMostDim = 65536;

/// One call; what it writes to is kept alive and touched only while the environment's lease is held.
struct Quantizing {
  Borrowed<Floats> values;
  const QuantizeKernel& kernel;
  size_t dim;
  Dtype dtype;
  bool normalize;
  void* codes;
  float* scales;
  float* errors;
  std::atomic<size_t> overflow{~size_t{0}};
  std::atomic<bool> gone{false};
  std::atomic<bool> exhausted{false};

  size_t rows() const { return values.memory().size / dim; }
  size_t rowsOfTask() const { return std::max<size_t>(1, kSlice / dim); }

  void quantize(size_t task) {
    const size_t first = task * rowsOfTask(), count = std::min(rowsOfTask(), rows() - first);
    try {
      std::vector<float> normal(normalize ? count * dim : 0);
      const bool there = values.read([&](const Floats& floats) {
        const float* from = floats.data + first * dim;
        if (normalize) {
          for (size_t row = 0; row < count; row++) normalizeRow(from + row * dim, &normal[row * dim]);
          from = normal.data();
        }
        write(from, first, count);
      });
      if (!there) gone = true;
    } catch (const std::bad_alloc&) {
      exhausted = true;
    }
  }

 private:
  void normalizeRow(const float* row, float* to) const {
    const double norm = canonicalNorm(row, dim);
    const double divisor = norm == 0 ? 1 : norm;
    for (size_t i = 0; i < dim; i++) to[i] = static_cast<float>(row[i] / divisor);
  }

  void write(const float* from, size_t first, size_t count) {
    const size_t start = first * dim, numbers = count * dim;
    size_t valid = numbers;
    switch (dtype) {
      case Dtype::f32:
        std::copy_n(from, numbers, static_cast<float*>(codes) + start);
        break;
      case Dtype::f16:
        valid = kernel.toHalves(from, numbers, static_cast<uint16_t*>(codes) + start);
        break;
      case Dtype::bf16:
        valid = kernel.toBfloats(from, numbers, static_cast<uint16_t*>(codes) + start);
        break;
      case Dtype::int8:
        kernel.toCodes(from, count, dim, static_cast<int8_t*>(codes) + start, scales + first, errors + first);
        break;
      case Dtype::binary: {
        const size_t words = (dim + 31) / 32;
        for (size_t row = 0; row < count; row++) {
          kernel.toBits(from + row * dim, dim, static_cast<uint32_t*>(codes) + (first + row) * words);
        }
      }
    }
    if (valid == numbers) return;
    const size_t at = start + valid;
    for (size_t known = overflow; at < known && !overflow.compare_exchange_weak(known, at);) {
    }
  }
};

}  // namespace

napi_value quantizeFunction(const Call& call) {
  const QuantizeKernel& kernel = *isaNamed(call.string(0, "isa")).quantize;
  const auto threads = static_cast<size_t>(call.number(1, "threads", 1, 1024));
  const Floats values = call.floats(2, "values");
  const auto dim = static_cast<size_t>(call.number(3, "dim", 1, kMostDim));
  const auto dtype = static_cast<Dtype>(static_cast<int>(call.number(4, "dtype", 0, 4)));
  const bool normalize = call.boolean(5, "normalize");
  if (values.size % dim != 0) throw Error("ERR_DIMENSION", "values must hold whole rows.");
  const size_t rows = values.size / dim;
  const size_t width = dtype == Dtype::binary ? (dim + 31) / 32 : dim;
  size_t size = 0;
  void* const codes = typedArrayData(call.env(), call.value(6), arrayOf(dtype), &size);
  if (codes == nullptr || size != rows * width) throw Error("ERR_ARGUMENT", "codes must be [rows, width].");
  const Floats scales = call.floats(7, "scales"), errors = call.floats(8, "errors");
  const size_t facts = dtype == Dtype::int8 ? rows : 0;
  if (scales.size != facts || errors.size != facts) {
    throw Error("ERR_ARGUMENT", "scales and errors must be [rows] for int8 and empty else.");
  }
  startPool(threads);
  Environment& environment = Environment::of(call.env());
  auto work =
      std::shared_ptr<Quantizing>(new Quantizing{Borrowed<Floats>(environment.lease(), values), kernel, dim,
                                                 dtype, normalize, codes, scales.data, errors.data});
  Job job;
  job.kept = {call.keep(2), call.keep(6), call.keep(7), call.keep(8)};
  job.value = [work](napi_env env) {
    napi_value result;
    const size_t overflow = work->overflow;
    check(napi_create_double(env, overflow == ~size_t{0} ? -1 : static_cast<double>(overflow), &result),
          "a number");
    return result;
  };
  uint32_t number;
  return environment.startJob(
      std::move(job),
      [&](Done done) {
        const size_t tasks = (rows + work->rowsOfTask() - 1) / work->rowsOfTask();
        submit(
            tasks, [work](size_t task) { work->quantize(task); },
            [work, done = std::move(done)] {
              if (work->gone) return done(Error("ERR_CLOSED", "The environment ended during a conversion."));
              if (work->exhausted)
                return done(outOfMemory("Memory for a conversion", kSlice * sizeof(float)));
              done(std::nullopt);
            });
      },
      &number);
}

}  // namespace seine
