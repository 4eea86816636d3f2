// What the addon's handles hold, and how results reach arrays of JavaScript.
#pragma once

#include <cstring>
#include <memory>
#include <vector>

#include "backend.h"
#include "call.h"
#include "environment.h"

namespace seine {

inline constexpr napi_type_tag kBackendTag = {0x5e1e5e1e5e1e0001, 0x9d1c3a7be2f04c11};
inline constexpr napi_type_tag kRowsTag = {0x5e1e5e1e5e1e0002, 0x1f6ab4d0773e5a92};

struct ResidentRows {
  std::unique_ptr<Rows> rows;  // empty once disposed
  Layout layout;
};

inline Backend& backendOf(const Call& call) {
  return *static_cast<Backend*>(call.handle(0, "backend", kBackendTag));
}

inline ResidentRows& rowsOf(const Call& call) {
  auto& resident = *static_cast<ResidentRows*>(call.handle(0, "rows", kRowsTag));
  if (!resident.rows) throw Error("ERR_CLOSED", "The rows are disposed.");
  return resident;
}

/// The argument `weights` [q, 1 + features] of rows with features; empty, and to be left out, for others.
inline std::vector<float> weightsOf(const Call& call, size_t index, const Layout& layout, size_t q) {
  const Floats weights = call.floatsIfAny(index, "weights");
  if (weights.size != (layout.features > 0 ? q * (1 + layout.features) : 0)) {
    throw Error("ERR_DIMENSION", "weights must be [q, 1 + features] for rows with features.");
  }
  return std::vector<float>(weights.data, weights.data + weights.size);
}

/// Starts a job that can be cancelled: its number, by which that is done, and its promise.
template <typename Start>
napi_value startCancellable(napi_env env, Job job, Start start) {
  uint32_t number;
  napi_value pair, numbered, promise = Environment::of(env).startJob(std::move(job), start, &number);
  check(napi_create_uint32(env, number, &numbered), "a number");
  check(napi_create_array_with_length(env, 2, &pair), "an array");
  check(napi_set_element(env, pair, 0, numbered), "an element");
  check(napi_set_element(env, pair, 1, promise), "an element");
  return pair;
}

/// The arguments `offsets` [q + 1] and `documents` [count + 1] of a task of maxsim, whose `q` is there; none
/// for another one.
void readDocuments(const Call& call, size_t index, const ResidentRows& resident, size_t count,
                   AskedQueries& asked);

/// Copies a result into the typed array behind a reference, as it is now.
template <typename T>
void fillArray(napi_env env, napi_ref reference, napi_typedarray_type type, const std::vector<T>& from) {
  napi_value array;
  size_t size = 0;
  check(napi_get_reference_value(env, reference, &array), "a result array");
  void* to = typedArrayData(env, array, type, &size);
  if (to == nullptr || size != from.size()) {
    throw Error("ERR_INTERNAL", "A result array was detached or resized meanwhile.");
  }
  if (size > 0) std::memcpy(to, from.data(), size * sizeof(T));
}

}  // namespace seine
