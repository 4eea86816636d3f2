// Kernels compiled with -fsanitize=thread call these functions at each access to memory; here they do not
// look for races between threads of the processor but count the bytes, and let the other emulated threads
// run.
#include <cuda_runtime.h>

namespace {

void touch(const void* address, size_t bytes, bool writes) {
  // The emulation's own data, and kernels' stacks, lie neither in the device's memory nor in shared memory.
  const char* const at = static_cast<const char*>(address);
  if (emulation::Block::current() == nullptr) return;
  if (at >= __start_seine_shared && at < __stop_seine_shared) return emulation::Block::current()->pause(64);
  machine().touch(address, bytes, writes);
}

}  // namespace

extern "C" {
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
#define SEINE_WATCH(bytes)                                                           \
  void __tsan_read##bytes(void* address) { touch(address, bytes, false); }           \
  void __tsan_write##bytes(void* address) { touch(address, bytes, true); }           \
  void __tsan_unaligned_read##bytes(void* address) { touch(address, bytes, false); } \
  void __tsan_unaligned_write##bytes(void* address) { touch(address, bytes, true); }
SEINE_WATCH(1)
SEINE_WATCH(2)
SEINE_WATCH(4)
SEINE_WATCH(8)
SEINE_WATCH(16)
void __tsan_read_range(void* address, size_t bytes) { touch(address, bytes, false); }
void __tsan_write_range(void* address, size_t bytes) { touch(address, bytes, true); }
unsigned char __tsan_atomic8_load(const volatile unsigned char* address, int) {
  return __atomic_load_n(address, __ATOMIC_SEQ_CST);
}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
}
