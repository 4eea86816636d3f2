#include "call.h"

#include <cmath>

namespace seine {

void check(napi_status status, const char* what) {
  if (status == napi_ok) return;
  throw Error("ERR_INTERNAL", std::string("Node-API could not make or read ") + what + " (status " +
                                  std::to_string(static_cast<int>(status)) + ").");
}

napi_value makeError(napi_env env, const Error& error) {
  napi_value code, message, result;
  const bool made = napi_create_string_utf8(env, error.code(), NAPI_AUTO_LENGTH, &code) == napi_ok &&
                    napi_create_string_utf8(env, error.what(), NAPI_AUTO_LENGTH, &message) == napi_ok &&
                    napi_create_error(env, code, message, &result) == napi_ok;
  return made ? result : nullptr;
}

Call::Call(napi_env env, napi_callback_info info) : env_(env) {
  size_t count = kMost;
  // Missing arguments are filled with undefined.
  check(napi_get_cb_info(env, info, &count, values_, nullptr, nullptr), "arguments");
}

void Call::expected(const char* name, const char* what) const {
  throw Error("ERR_ARGUMENT", std::string(name) + " must be " + what + ".");
}

double Call::number(size_t index, const char* name, double from, double to) const {
  double result;
  if (napi_get_value_double(env_, values_[index], &result) != napi_ok || !(result >= from && result <= to) ||
      result != std::floor(result)) {
    throw Error("ERR_ARGUMENT", std::string(name) + " must be a whole number from " + std::to_string(from) +
                                    " to " + std::to_string(to) + ".");
  }
  return result;
}

bool Call::boolean(size_t index, const char* name) const {
  bool result;
  if (napi_get_value_bool(env_, values_[index], &result) != napi_ok) expected(name, "true or false");
  return result;
}

std::string Call::string(size_t index, const char* name) const {
  size_t length;
  if (napi_get_value_string_utf8(env_, values_[index], nullptr, 0, &length) != napi_ok) {
    expected(name, "a string");
  }
  std::string result(length, '\0');
  check(napi_get_value_string_utf8(env_, values_[index], result.data(), length + 1, &length), name);
  return result;
}

void* typedArrayData(napi_env env, napi_value array, napi_typedarray_type wanted, size_t* size) {
  bool is = false;
  napi_typedarray_type type;
  void* data = nullptr;
  if (napi_is_typedarray(env, array, &is) != napi_ok || !is) return nullptr;
  if (napi_get_typedarray_info(env, array, &type, size, &data, nullptr, nullptr) != napi_ok) return nullptr;
  if (type != wanted) return nullptr;
  // An empty array has no memory; anything else tells an empty one from a wrong one.
  static float empty;
  return *size == 0 ? &empty : data;
}

Floats Call::floats(size_t index, const char* name) const {
  size_t size = 0;
  void* data = typedArrayData(env_, values_[index], napi_float32_array, &size);
  if (data == nullptr) expected(name, "a Float32Array");
  return {static_cast<float*>(data), size};
}

Floats Call::floatsIfAny(size_t index, const char* name) const {
  return isUndefined(index) ? Floats{nullptr, 0} : floats(index, name);
}

Words Call::words(size_t index, const char* name) const {
  size_t size = 0;
  void* data = typedArrayData(env_, values_[index], napi_uint32_array, &size);
  if (data == nullptr) expected(name, "a Uint32Array");
  return {static_cast<uint32_t*>(data), size};
}

bool Call::isUndefined(size_t index) const {
  napi_valuetype type;
  check(napi_typeof(env_, values_[index], &type), "a type");
  return type == napi_undefined;
}

void* Call::handle(size_t index, const char* name, const napi_type_tag& tag) const {
  bool is = false;
  void* data = nullptr;
  napi_valuetype type;
  check(napi_typeof(env_, values_[index], &type), "a type");
  // Asking a value that is no object for its tag would throw a TypeError of its own.
  if (type != napi_object || napi_check_object_type_tag(env_, values_[index], &tag, &is) != napi_ok || !is ||
      napi_unwrap(env_, values_[index], &data) != napi_ok) {
    expected(name, "a handle that the addon made for this purpose");
  }
  return data;
}

napi_ref Call::keep(size_t index) const {
  napi_ref reference;
  check(napi_create_reference(env_, values_[index], 1, &reference), "a reference");
  return reference;
}

napi_value makeHandle(napi_env env, void* data, const napi_type_tag& tag, napi_finalize destroy) {
  napi_value object;
  napi_status status = napi_create_object(env, &object);
  if (status == napi_ok) status = napi_type_tag_object(env, object, &tag);
  if (status == napi_ok) status = napi_wrap(env, object, data, destroy, nullptr, nullptr);
  if (status != napi_ok) destroy(env, data, nullptr);
  check(status, "a handle");
  return object;
}

napi_typedarray_type arrayOf(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32:
      return napi_float32_array;
    case Dtype::int8:
      return napi_int8_array;
    case Dtype::binary:
      return napi_uint32_array;
    default:
      return napi_uint16_array;
  }
}

napi_value undefined(napi_env env) {
  napi_value result;
  check(napi_get_undefined(env, &result), "undefined");
  return result;
}

}  // namespace seine
