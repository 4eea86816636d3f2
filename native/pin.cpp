#include "pin.h"

#if defined(_WIN32)
#include <windows.h>

namespace seine {

void pinLibrary() {
  HMODULE self;
  GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                     reinterpret_cast<const char*>(&pinLibrary), &self);
}

}  // namespace seine

#else
#include <dlfcn.h>

namespace seine {

void pinLibrary() {
  Dl_info self;
  if (dladdr(reinterpret_cast<const void*>(&pinLibrary), &self) != 0) {
    dlopen(self.dli_fname, RTLD_NOW | RTLD_NODELETE);  // the handle is kept on purpose
  }
}

}  // namespace seine

#endif
