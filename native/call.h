// Arguments and errors of the functions that JavaScript calls.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <string>

#include "../kernels/dtype.h"
#include "error.h"
#include "floats.h"
#include "words.h"

namespace seine {

/// Throws Error if a call of Node-API failed.
void check(napi_status status, const char* what);

/// A JavaScript Error with `code`, or null if the environment is ending.
napi_value makeError(napi_env env, const Error& error);

/// The arguments of one call; each getter checks the type and throws Error with the argument's name.
class Call {
 public:
  Call(napi_env env, napi_callback_info info);

  napi_env env() const { return env_; }
  napi_value value(size_t index) const { return values_[index]; }

  double number(size_t index, const char* name, double from, double to) const;
  bool boolean(size_t index, const char* name) const;
  std::string string(size_t index, const char* name) const;
  Floats floats(size_t index, const char* name) const;
  /// None where the argument is left out.
  Floats floatsIfAny(size_t index, const char* name) const;
  Words words(size_t index, const char* name) const;
  bool isUndefined(size_t index) const;
  /// What a handle of this kind holds.
  void* handle(size_t index, const char* name, const napi_type_tag& tag) const;
  /// Keeps an argument alive.
  napi_ref keep(size_t index) const;

 private:
  [[noreturn]] void expected(const char* name, const char* what) const;

  static constexpr size_t kMost = 13;
  napi_env env_;
  napi_value values_[kMost];
};

/// A JavaScript object that owns `data`; `destroy` runs when it is collected or the environment ends.
napi_value makeHandle(napi_env env, void* data, const napi_type_tag& tag, napi_finalize destroy);

/// Typed-array memory as it is now; null if the buffer was detached.
void* typedArrayData(napi_env env, napi_value array, napi_typedarray_type wanted, size_t* size);

/// The typed array that holds rows of `dtype`.
napi_typedarray_type arrayOf(Dtype dtype);

napi_value undefined(napi_env env);

/// No C++ exception crosses into JavaScript's frames: what a function throws becomes a JavaScript error.
template <napi_value (*kFunction)(const Call&)>
napi_value guarded(napi_env env, napi_callback_info info) {
  try {
    return kFunction(Call(env, info));
  } catch (const Error& error) {
    napi_value thrown = makeError(env, error);
    if (thrown != nullptr) napi_throw(env, thrown);
  } catch (const std::bad_alloc&) {
    napi_throw_error(env, "ERR_OUT_OF_MEMORY", "Memory ran out in the addon.");
  } catch (const std::exception& error) {
    napi_throw_error(env, "ERR_INTERNAL", error.what());
  }
  return nullptr;
}

}  // namespace seine
