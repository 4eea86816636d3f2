// A part of a file as memory.
#include <cerrno>
#include <cstring>
#include <string>

#include "functions.h"

#if defined(_WIN32)
#include <windows.h>
#else
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace seine {
namespace {

constexpr double kMostBytes = 9007199254740991.0;  // the largest safe integer
constexpr uint64_t kAlignment = 8;

/// A mapping: `data` lies in pages that begin at `base`.
struct Mapping {
  void* base;
  size_t size;
  char* data;
};

[[noreturn]] void tooShort(const std::string& path, uint64_t size, uint64_t offset, uint64_t length) {
  throw Error("ERR_CORRUPT", path + " has " + std::to_string(size) + " bytes, but " + std::to_string(length) +
                                 " from byte " + std::to_string(offset) + " on were expected.");
}

#if defined(_WIN32)

[[noreturn]] void failed(const char* code, const char* what, const std::string& path) {
  throw Error(code, std::string(what) + " " + path + " failed: Windows error " +
                        std::to_string(GetLastError()) + ".");
}

Mapping map(const std::string& path, uint64_t offset, uint64_t length) {
  const int wideLength = MultiByteToWideChar(CP_UTF8, 0, path.c_str(), -1, nullptr, 0);
  std::wstring wide(static_cast<size_t>(wideLength), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, path.c_str(), -1, wide.data(), wideLength);
  const HANDLE file =
      CreateFileW(wide.c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
                  OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (file == INVALID_HANDLE_VALUE) failed("ERR_NOT_FOUND", "Opening", path);
  LARGE_INTEGER size = {};
  GetFileSizeEx(file, &size);
  if (offset + length > static_cast<uint64_t>(size.QuadPart)) {
    CloseHandle(file);
    tooShort(path, static_cast<uint64_t>(size.QuadPart), offset, length);
  }
  const HANDLE section = CreateFileMappingW(file, nullptr, PAGE_WRITECOPY, 0, 0, nullptr);
  CloseHandle(file);
  if (section == nullptr) failed("ERR_OUT_OF_MEMORY", "Mapping", path);
  SYSTEM_INFO system;
  GetSystemInfo(&system);
  const uint64_t begin = offset / system.dwAllocationGranularity * system.dwAllocationGranularity;
  const size_t bytes = static_cast<size_t>(offset - begin + length);
  void* base = MapViewOfFile(section, FILE_MAP_COPY, static_cast<DWORD>(begin >> 32),
                             static_cast<DWORD>(begin), bytes);
  CloseHandle(section);
  if (base == nullptr) failed("ERR_OUT_OF_MEMORY", "Mapping", path);
  return {base, bytes, static_cast<char*>(base) + (offset - begin)};
}

void unmap(const Mapping& mapping) { UnmapViewOfFile(mapping.base); }

#else

class File {
 public:
  explicit File(const std::string& path) : descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~File() {
    if (descriptor >= 0) close(descriptor);
  }
  File(const File&) = delete;
  const int descriptor;
};

[[noreturn]] void failed(const char* code, const char* what, const std::string& path) {
  throw Error(code, std::string(what) + " " + path + " failed: " + std::strerror(errno) + ".");
}

Mapping map(const std::string& path, uint64_t offset, uint64_t length) {
  const File file(path);
  if (file.descriptor < 0) failed("ERR_NOT_FOUND", "Opening", path);
  struct stat facts;
  if (fstat(file.descriptor, &facts) != 0) failed("ERR_NOT_FOUND", "Reading the size of", path);
  if (!S_ISREG(facts.st_mode)) throw Error("ERR_NOT_FOUND", path + " is not a regular file.");
  const auto size = static_cast<uint64_t>(facts.st_size);
  if (offset + length > size) tooShort(path, size, offset, length);
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const uint64_t begin = offset / page * page;
  const auto bytes = static_cast<size_t>(offset - begin + length);
  // Private and writable: a stray write changes this mapping's page, not the file, and does not crash.
  void* base =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, file.descriptor, static_cast<off_t>(begin));
  if (base == MAP_FAILED) {
    failed(errno == ENOMEM ? "ERR_OUT_OF_MEMORY" : "ERR_NOT_FOUND", "Mapping", path);
  }
  return {base, bytes, static_cast<char*>(base) + (offset - begin)};
}

void unmap(const Mapping& mapping) { munmap(mapping.base, mapping.size); }

#endif

}  // namespace

napi_value mapFileFunction(const Call& call) {
  const std::string path = call.string(0, "path");
  const auto offset = static_cast<uint64_t>(call.number(1, "offset", 0, kMostBytes));
  const auto length = static_cast<uint64_t>(call.number(2, "length", 0, kMostBytes));
  if (path.find('\0') != std::string::npos) throw Error("ERR_ARGUMENT", "path must not hold a zero byte.");
  if (offset % kAlignment != 0) throw Error("ERR_ARGUMENT", "offset must be a multiple of 8.");
  napi_value result;
  if (length == 0) {
    check(napi_create_arraybuffer(call.env(), 0, nullptr, &result), "a buffer");
    return result;
  }
  auto* const mapping = new Mapping(map(path, offset, length));
  const napi_finalize release = [](napi_env, void*, void* hint) {
    unmap(*static_cast<Mapping*>(hint));
    delete static_cast<Mapping*>(hint);
  };
  const napi_status status = napi_create_external_arraybuffer(
      call.env(), mapping->data, static_cast<size_t>(length), release, mapping, &result);
  if (status == napi_ok) return result;
  release(call.env(), mapping->data, mapping);
  if (status == napi_no_external_buffers_allowed) {
    throw Error("ERR_DEVICE_UNAVAILABLE",
                "This runtime forbids memory outside its heap: read " + path + " instead.");
  }
  check(status, "a buffer over a mapped file");
  return nullptr;
}

}  // namespace seine
