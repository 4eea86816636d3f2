// The export table, nothing else.
#include <node_api.h>

#include "environment.h"
#include "functions.h"

namespace seine {
namespace {

template <napi_value (*kFunction)(const Call&)>
void add(napi_env env, napi_value exports, const char* name) {
  napi_value function;
  check(napi_create_function(env, name, NAPI_AUTO_LENGTH, guarded<kFunction>, nullptr, &function), name);
  check(napi_set_named_property(env, exports, name, function), name);
}

void exportAll(napi_env env, napi_value exports) {
  Environment::create(env);
  napi_value version;
  check(napi_create_string_utf8(env, SEINE_VERSION, NAPI_AUTO_LENGTH, &version), "a string");
  check(napi_set_named_property(env, exports, "version", version), "a property");
  add<openCpuFunction>(env, exports, "openCpu");
#if defined(SEINE_CUDA)
  add<openCudaFunction>(env, exports, "openCuda");
#endif
#if defined(SEINE_CUDA_EMULATED)
  napi_value emulated;
  check(napi_get_boolean(env, true, &emulated), "a boolean");
  check(napi_set_named_property(env, exports, "cudaEmulated", emulated), "a property");
#endif
  add<supportedIsasFunction>(env, exports, "supportedIsas");
  add<describeFunction>(env, exports, "describe");
  add<createRowsFunction>(env, exports, "createRows");
  add<bytesFunction>(env, exports, "bytes");
  add<scanTotalsFunction>(env, exports, "scanTotals");
  add<certifyFunction>(env, exports, "certify");
  add<takeFunction>(env, exports, "take");
  add<appendFunction>(env, exports, "append");
  add<readFunction>(env, exports, "read");
  add<writeColumnFunction>(env, exports, "writeColumn");
  add<filterFunction>(env, exports, "filter");
  add<narrowFunction>(env, exports, "narrow");
  add<listBitsFunction>(env, exports, "listBits");
  add<searchFunction>(env, exports, "search");
  add<rescoreFunction>(env, exports, "rescore");
  add<selectFunction>(env, exports, "select");
  add<mergeFunction>(env, exports, "merge");
  add<cancelFunction>(env, exports, "cancel");
  add<disposeRowsFunction>(env, exports, "disposeRows");
  add<findNotFiniteFunction>(env, exports, "findNotFinite");
  add<quantizeFunction>(env, exports, "quantize");
  add<adamWFunction>(env, exports, "adamW");
  add<squaredLengthFunction>(env, exports, "squaredLength");
  add<mapFileFunction>(env, exports, "mapFile");
}

}  // namespace
}  // namespace seine

NAPI_MODULE_INIT() {
  try {
    seine::exportAll(env, exports);
  } catch (const seine::Error& error) {
    napi_throw_error(env, error.code(), error.what());
  }
  return exports;
}
