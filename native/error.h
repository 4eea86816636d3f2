// A failure with a code of ts/core/errors.ts.
#pragma once

#include <cstring>
#include <exception>
#include <string>
#include <utility>

namespace seine {

class Error : public std::exception {
 public:
  Error(const char* code, std::string message) : code_(code), message_(std::move(message)) {}
  const char* code() const { return code_; }
  bool is(const char* code) const { return std::strcmp(code_, code) == 0; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  const char* code_;  // a literal
  std::string message_;
};

/// What is known when memory ran out while `what` (bytes wanted in all) was made.
inline Error outOfMemory(const char* what, size_t bytes) {
  return Error("ERR_OUT_OF_MEMORY", std::string(what) + " could not be allocated: about " +
                                        std::to_string(bytes) + " bytes wanted.");
}

}  // namespace seine
