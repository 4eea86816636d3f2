// Backends, rows and searches as JavaScript sees them.
#include <algorithm>
#include <bit>
#include <functional>
#include <memory>
#include <utility>

#include "../kernels/isa.h"
#include "backend.h"
#include "environment.h"
#include "functions.h"
#include "handles.h"

namespace seine {
namespace {

constexpr double kMostDim = 65536;
constexpr double kMostRows = 0xffffffff;
constexpr double kMostFeatures = 256;

template <typename T>
void destroy(napi_env, void* data, void*) {
  delete static_cast<T*>(data);
}

napi_value makeString(napi_env env, const std::string& text) {
  napi_value result;
  check(napi_create_string_utf8(env, text.data(), text.size(), &result), "a string");
  return result;
}

napi_value makeNumber(napi_env env, double number) {
  napi_value result;
  check(napi_create_double(env, number, &result), "a number");
  return result;
}

/// Three arguments, numbers, scales and features if there are any, as rows of this layout.
StoredRows storedRows(const Call& call, size_t index, const Layout& layout) {
  size_t size = 0;
  const napi_typedarray_type type = arrayOf(layout.dtype);
  const void* const numbers = typedArrayData(call.env(), call.value(index), type, &size);
  const Floats scales = call.floats(index + 1, "scales");
  const size_t width = layout.dtype == Dtype::binary ? layout.storedBytes() / 4 : layout.dim;
  if (numbers == nullptr) throw Error("ERR_ARGUMENT", "numbers must be an array of the rows' dtype.");
  if (size % width != 0) throw Error("ERR_DIMENSION", "numbers must hold whole rows.");
  if (scales.size != (layout.dtype == Dtype::int8 ? size / width : 0)) {
    throw Error("ERR_ARGUMENT", "scales must be [rows] for int8 and empty else.");
  }
  const Floats features = call.floatsIfAny(index + 2, "features");
  if (features.size != size / width * layout.features) {
    throw Error("ERR_DIMENSION", "features must be [rows, features].");
  }
  return {static_cast<const uint8_t*>(numbers), scales.data, size / width, features.data};
}

}  // namespace

napi_value supportedIsasFunction(const Call& call) {
  napi_value result;
  check(napi_create_array(call.env(), &result), "an array");
  const Isa* isas = supportedIsas();
  for (uint32_t i = 0; isas[i].name != nullptr; i++) {
    check(napi_set_element(call.env(), result, i, makeString(call.env(), isas[i].name)), "an element");
  }
  return result;
}

napi_value openCpuFunction(const Call& call) {
  const std::string isa = call.string(0, "isa");
  const auto threads = static_cast<size_t>(call.number(1, "threads", 1, 1024));
  const bool coded = call.boolean(2, "coded");
  return makeHandle(call.env(), openCpu(isa, threads, coded).release(), kBackendTag, destroy<Backend>);
}

#if defined(SEINE_CUDA)
napi_value openCudaFunction(const Call& call) {
  const auto threads = static_cast<size_t>(call.number(0, "threads", 1, 1024));
  const Words devices = call.words(1, "devices");
  const auto blockRows = static_cast<size_t>(call.number(2, "blockRows", 32, kMostRows));
  if (!std::has_single_bit(blockRows)) {
    throw Error("ERR_ARGUMENT", "blockRows must be a power of two.");
  }
  const std::vector<int> ordinals(devices.data, devices.data + devices.size);
  const auto opened = std::make_shared<std::unique_ptr<Backend>>();
  Job job;
  job.value = [opened](napi_env env) {
    return makeHandle(env, opened->release(), kBackendTag, destroy<Backend>);
  };
  uint32_t number;
  return Environment::of(call.env())
      .startJob(
          std::move(job), [&](Done done) { openCuda(threads, ordinals, blockRows, opened, std::move(done)); },
          &number);
}
#endif

napi_value describeFunction(const Call& call) {
  return makeString(call.env(), backendOf(call).description());
}

napi_value createRowsFunction(const Call& call) {
  const auto dim = static_cast<size_t>(call.number(1, "dim", 1, kMostDim));
  const auto metric = static_cast<Metric>(static_cast<int>(call.number(2, "metric", 0, 3)));
  const auto dtype = static_cast<Dtype>(static_cast<int>(call.number(3, "dtype", 0, 4)));
  if ((metric == Metric::hamming) != (dtype == Dtype::binary)) {
    throw Error("ERR_ARGUMENT", "hamming goes with binary and with no other dtype.");
  }
  const bool featured = !call.isUndefined(4);
  const auto features = static_cast<size_t>(featured ? call.number(4, "features", 1, kMostFeatures) : 0);
  if (featured && isDistance(metric)) throw Error("ERR_ARGUMENT", "features go with ip and cosine only.");
  const bool coded = call.isUndefined(5) || call.boolean(5, "coded");
  auto rows = backendOf(call).createRows(dim, metric, dtype, features, coded);
  auto resident = std::unique_ptr<ResidentRows>(
      new ResidentRows{std::move(rows), Layout(dim, metric, dtype, false, features)});
  return makeHandle(call.env(), resident.release(), kRowsTag, destroy<ResidentRows>);
}

napi_value bytesFunction(const Call& call) {
  return makeNumber(call.env(), static_cast<double>(rowsOf(call).rows->bytes()));
}

napi_value scanTotalsFunction(const Call& call) {
  const ScanTotals totals = rowsOf(call).rows->scanTotals();
  const std::pair<const char*, uint64_t> parts[] = {
      {"queries", totals.queries}, {"open", totals.open}, {"scored", totals.scored}};
  napi_value result;
  check(napi_create_object(call.env(), &result), "an object");
  for (const auto& [name, value] : parts) {
    check(
        napi_set_named_property(call.env(), result, name, makeNumber(call.env(), static_cast<double>(value))),
        name);
  }
  return result;
}

napi_value takeFunction(const Call& call) {
  ResidentRows& resident = rowsOf(call);
  if (resident.layout.dtype != Dtype::f32) return undefined(call.env());
  const Floats numbers = call.floats(1, "numbers"), features = call.floatsIfAny(2, "features");
  const Layout& layout = resident.layout;
  const size_t rows = numbers.size / layout.dim;
  if (numbers.size % layout.dim != 0 || features.size != rows * layout.features) {
    throw Error("ERR_DIMENSION", "numbers must hold whole rows, features be [rows, features].");
  }
  const StoredRows data = {reinterpret_cast<const uint8_t*>(numbers.data), nullptr, rows, features.data};
  const auto first = resident.rows->take(Borrowed<StoredRows>(Environment::of(call.env()).lease(), data));
  if (!first) return undefined(call.env());
  return makeNumber(call.env(), *first == numbers.size ? -1 : static_cast<double>(*first));
}

napi_value appendFunction(const Call& call) {
  ResidentRows& resident = rowsOf(call);
  Environment& environment = Environment::of(call.env());
  Job job;
  job.value = undefined;
  uint32_t number;
  if (call.isUndefined(1)) {
    return environment.startJob(
        std::move(job), [&](Done done) { resident.rows->appendTaken(std::move(done)); }, &number);
  }
  const StoredRows data = storedRows(call, 1, resident.layout);
  job.kept = {call.keep(1), call.keep(2)};
  if (resident.layout.features > 0) job.kept.push_back(call.keep(3));
  return environment.startJob(
      std::move(job),
      [&](Done done) {
        resident.rows->append(Borrowed<StoredRows>(environment.lease(), data), std::move(done));
      },
      &number);
}

napi_value readFunction(const Call& call) {
  ResidentRows& resident = rowsOf(call);
  const Words ids = call.words(1, "ids");
  const StoredRows to = storedRows(call, 2, resident.layout);
  if (to.count != ids.size) throw Error("ERR_DIMENSION", "numbers must be [ids, dim].");
  resident.rows->read(ids.data, ids.size, const_cast<uint8_t*>(to.numbers), const_cast<float*>(to.scales),
                      const_cast<float*>(to.features));
  return undefined(call.env());
}

napi_value searchFunction(const Call& call) {
  ResidentRows& resident = rowsOf(call);
  const bool bits = resident.layout.dtype == Dtype::binary;
  const Words words = bits ? call.words(1, "queries") : Words{nullptr, 0};
  const Floats queries = bits ? Floats{nullptr, 0} : call.floats(1, "queries");
  auto task = std::make_shared<SearchTask>();
  task->q = static_cast<size_t>(call.number(2, "q", 1, kMostRows));
  task->count = static_cast<size_t>(call.number(4, "count", 1, kMostRows));
  task->passing = static_cast<size_t>(call.number(6, "passing", 1, static_cast<double>(task->count)));
  task->k = static_cast<size_t>(call.number(3, "k", 1, static_cast<double>(task->passing)));
  const size_t width = bits ? resident.layout.storedBytes() / 4 : resident.layout.dim;
  readDocuments(call, 11, resident, task->count, *task);
  if (queries.size + words.size != task->vectors() * width) {
    throw Error("ERR_DIMENSION", "queries must be [q, dim], or [tokens, dim] with offsets.");
  }
  if (call.words(7, "ids").size != task->q * task->k) throw Error("ERR_ARGUMENT", "ids must be [q, k].");
  if (call.floats(8, "scores").size != task->q * task->k) {
    throw Error("ERR_ARGUMENT", "scores must be [q, k].");
  }
  if (!call.isUndefined(9)) {
    const Words listed = call.words(9, "listed");
    task->listed.assign(listed.data, listed.data + listed.size);
    const auto end = task->listed.end();
    const bool rising = std::adjacent_find(task->listed.begin(), end, std::greater_equal<>()) == end;
    if (!call.isUndefined(5) || listed.size != task->passing || !rising ||
        task->listed.back() >= task->count) {
      throw Error("ERR_ARGUMENT", "listed must be [passing] rising rows below count, without allowed.");
    }
  } else if (!call.isUndefined(5)) {
    const Words allowed = call.words(5, "allowed");
    if (allowed.size != (task->count + 31) / 32) {
      throw Error("ERR_ARGUMENT", "allowed must have a bit for each row.");
    }
    task->allowed.assign(allowed.data, allowed.data + allowed.size);
    if (task->count % 32 != 0) task->allowed.back() &= (1u << (task->count % 32)) - 1;
    size_t passing = 0;
    for (const uint32_t word : task->allowed) passing += static_cast<size_t>(std::popcount(word));
    if (passing != task->passing)
      throw Error("ERR_ARGUMENT", "passing must be the number of bits of allowed.");
  } else if (task->passing != task->count) {
    throw Error("ERR_ARGUMENT", "passing must be count where allowed and listed are absent.");
  }
  task->weights = weightsOf(call, 10, resident.layout, task->q);
  task->queries.assign(queries.data, queries.data + queries.size);
  task->words.assign(words.data, words.data + words.size);

  Job job;
  job.cancelled = {task, &task->cancelled};
  job.kept = {call.keep(7), call.keep(8)};
  job.value = [task, ids = job.kept[0], scores = job.kept[1]](napi_env env) {
    if (!task->cancelled) {
      fillArray(env, ids, napi_uint32_array, task->ids);
      fillArray(env, scores, napi_float32_array, task->scores);
    }
    return undefined(env);
  };
  return startCancellable(call.env(), std::move(job),
                          [&](Done done) { resident.rows->search(std::move(task), std::move(done)); });
}

napi_value cancelFunction(const Call& call) {
  Environment::of(call.env()).cancel(static_cast<uint32_t>(call.number(0, "number", 0, kMostRows)));
  return undefined(call.env());
}

napi_value disposeRowsFunction(const Call& call) {
  rowsOf(call).rows.reset();
  return undefined(call.env());
}

}  // namespace seine
