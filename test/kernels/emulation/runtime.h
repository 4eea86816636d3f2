// The machine behind the emulated CUDA runtime: memory, streams whose work runs late, counters. Used by one
// thread at a time, as the device's own thread does.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "block.h"

namespace emulation {

struct Stream {
  std::deque<std::function<void()>> work;
};

/// Marks a place in a stream: what was enqueued before.
struct Event {
  Stream* stream = nullptr;
  bool reached = true;
};

/// What a launch moved between global memory and the processors. An allocation that fits into a cache counts
/// once for all that is read, and once for all that is written.
struct Launch {
  size_t read = 0;
  size_t written = 0;
};

struct Machine {
  /// Bytes behind each allocation that no kernel may touch.
  static constexpr size_t kGuard = 1024;
  static constexpr size_t kCache = 128 << 10;

  // Never destroyed: a device thread may be at work when the process ends.
  static Machine& get() {
    static Machine* const machine = new Machine;
    return *machine;
  }

  size_t capacity = setting("SEINE_EMULATED_BYTES", size_t{1} << 30);
  uint64_t seed = setting("SEINE_EMULATED_SEED", 1);
  std::map<char*, size_t> device, pinned;
  size_t allocated = 0;
  size_t uploaded = 0, downloaded = 0;
  std::vector<Launch> launches;
  std::string failure;  // sticky once set
  Block block;

  static size_t setting(const char* name, size_t otherwise) {
    const char* const text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
  }

  uint64_t next() {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return seed >> 33;
  }

  /// Whether the bytes lie in one allocation.
  static bool holds(const std::map<char*, size_t>& memory, const void* from, size_t bytes) {
    char* const first = static_cast<char*>(const_cast<void*>(from));
    auto after = memory.upper_bound(first);
    if (after == memory.begin()) return false;
    --after;
    return first + bytes <= after->first + after->second;
  }

  /// Enqueues; runs a part of what waits, so that nobody can rely on either.
  void enqueue(Stream& stream, std::function<void()> work) {
    stream.work.push_back(std::move(work));
    for (size_t some = next() % 3; some > 0 && !stream.work.empty(); some--) step(stream);
  }

  void step(Stream& stream) {
    auto work = std::move(stream.work.front());
    stream.work.pop_front();
    if (!failure.empty()) return;
    try {
      work();
    } catch (const Failure& problem) {
      failure = problem.what();
    }
  }

  void finish(Stream& stream) {
    while (!stream.work.empty()) step(stream);
  }

  void copy(void* to, const void* from, size_t bytes, bool up) {
    if (!holds(device, up ? to : from, bytes)) throw Failure("a copy leaves the device's memory");
    if (!holds(pinned, up ? from : to, bytes)) throw Failure("a copy does not lie in pinned memory");
    std::memcpy(to, from, bytes);
    (up ? uploaded : downloaded) += bytes;
  }

  /// From one place of the device's memory to another.
  void move(void* to, const void* from, size_t bytes) {
    if (!holds(device, to, bytes) || !holds(device, from, bytes)) {
      throw Failure("a copy leaves the device's memory");
    }
    std::memcpy(to, from, bytes);
  }

  /// An access of a kernel, where its source is compiled to tell of them (see watch.cpp).
  void touch(const void* address, size_t bytes, bool writes) {
    char* const first = static_cast<char*>(const_cast<void*>(address));
    if (first < lastTouched_.begin || first + bytes > lastTouched_.end) {
      const auto after = device.upper_bound(first);
      if (after == device.begin()) return;
      const auto& [begin, size] = *std::prev(after);
      if (first >= begin + size + kGuard) return;
      if (first + bytes > begin + size) {
        beyond_ = true;
        return;
      }
      lastTouched_ = {begin, begin + size, &moved_[begin]};
    }
    (writes ? lastTouched_.launch->written : lastTouched_.launch->read) += bytes;
    block.pause(64);
  }

  void runGrid(const std::function<void()>& body, Dim grid, unsigned threads) {
    moved_.clear();
    lastTouched_ = {};
    beyond_ = false;
    // Blocks come in any order, too.
    std::vector<Dim> blocks;
    for (unsigned y = 0; y < grid.y; y++) {
      for (unsigned x = 0; x < grid.x; x++) blocks.push_back({x, y, 1});
    }
    for (size_t left = blocks.size(); left > 0; left--) {
      std::swap(blocks[next() % left], blocks[left - 1]);
      block.run(body, grid, blocks[left - 1], threads, next());
    }
    if (beyond_) throw Failure("a kernel touches memory behind an allocation");
    Launch launch;
    for (const auto& [allocation, bytes] : moved_) {
      const size_t most = device[allocation] <= kCache ? device[allocation] : SIZE_MAX;
      launch.read += std::min(bytes.read, most);
      launch.written += std::min(bytes.written, most);
    }
    launches.push_back(launch);
  }

 private:
  std::map<char*, Launch> moved_;  // by allocation
  struct {
    char *begin = nullptr, *end = nullptr;
    Launch* launch = nullptr;
  } lastTouched_;
  bool beyond_ = false;
};

}  // namespace emulation
