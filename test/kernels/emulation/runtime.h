// The machine behind the emulated CUDA runtime: devices and their memory, streams whose work runs late and in
// random order to each other, counters, and faults to order. Threads take turns: each call of the runtime is
// one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "block.h"

namespace emulation {

struct Gpu {
  size_t capacity;
  size_t allocated = 0;
  /// What broke its context; every later call that needs it fails.
  std::string failure{};
};

/// Work of a stream that was recorded in place of being run.
struct Graph {
  Gpu* gpu;
  std::vector<std::function<void()>> work{};
};

struct Stream {
  Gpu* gpu;
  std::deque<std::function<void()>> work{};
  /// What is recorded; null while nothing is.
  std::unique_ptr<Graph> recording{};
  /// Something was called meanwhile that no graph can do.
  bool broken = false;
};

/// Marks a place in a stream: what was enqueued before.
struct Event {
  Stream* stream = nullptr;
  bool reached = true;
};

struct Allocation {
  size_t bytes;
  Gpu* gpu;  // null: pinned memory of the host
};

/// Calls of the runtime by what may go wrong in them.
enum class Call { allocation, pinning, launch, copy, wait, making, any };

/// The call of this kind before which `left` others succeed fails, once.
struct Fault {
  Call call;
  size_t left;
  /// Whether it breaks the context: then at once or, as a kernel or a copy does, when it runs.
  bool breaks;
};

/// What a launch moved between global memory and the processors. What fits into a cache counts once for all
/// that is read, and once for all that is written: small allocations, and of large ones the parts that are
/// touched most.
struct Launch {
  size_t read = 0;
  size_t written = 0;
};

struct Machine {
  /// Bytes behind each allocation that no kernel may touch.
  static constexpr size_t kGuard = 1024;
  static constexpr size_t kCache = 128 << 10;
  static constexpr size_t kPart = 4 << 10;  // of a large allocation

  // Never destroyed: a device thread may be at work when the process ends.
  static Machine& get() {
    static Machine* const machine = new Machine;
    return *machine;
  }

  std::recursive_mutex turn;
  std::vector<std::unique_ptr<Gpu>> gpus;
  uint64_t seed = setting("SEINE_EMULATED_SEED", 1);
  std::map<char*, Allocation> device, pinned;
  std::vector<std::unique_ptr<Stream>> streams;
  std::optional<Fault> fault;
  size_t uploaded = 0, downloaded = 0;
  std::vector<Launch> launches;
  /// Graphs that are there, of both kinds; instances made, and started.
  size_t graphs = 0, instances = 0, starts = 0;
  Block block;

  Machine() {
    const size_t bytes = setting("SEINE_EMULATED_BYTES", size_t{1} << 30);
    for (size_t left = setting("SEINE_EMULATED_DEVICES", 2); left > 0; left--) {
      gpus.push_back(std::make_unique<Gpu>(Gpu{bytes}));
    }
    // SEINE_EMULATED_FAULT=12 or lost:12: the call with this number fails, or breaks the device.
    const char* const text = std::getenv("SEINE_EMULATED_FAULT");
    if (text == nullptr) return;
    const bool breaks = std::strncmp(text, "lost:", 5) == 0;
    fault = {Call::any, std::strtoull(breaks ? text + 5 : text, nullptr, 10), breaks};
  }

  static size_t setting(const char* name, size_t otherwise) {
    const char* const text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
  }

  uint64_t next() {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return seed >> 33;
  }

  /// Whether the bytes lie in one allocation.
  static bool holds(const std::map<char*, Allocation>& memory, const void* from, size_t bytes,
                    const Gpu* gpu) {
    char* const first = static_cast<char*>(const_cast<void*>(from));
    auto after = memory.upper_bound(first);
    if (after == memory.begin()) return false;
    --after;
    return after->second.gpu == gpu && first + bytes <= after->first + after->second.bytes;
  }

  /// Whether it is the turn of the fault that was ordered.
  bool meetsFault(Call call) {
    if (!fault || (fault->call != Call::any && fault->call != call)) return false;
    return fault->left-- == 0;
  }

  /// Enqueues, or records; runs a part of what waits anywhere, so that nobody can rely on either.
  void enqueue(Stream& stream, std::function<void()> work) {
    if (stream.recording != nullptr) return stream.recording->work.push_back(std::move(work));
    stream.work.push_back(std::move(work));
    for (size_t some = next() % 3; some > 0; some--) stepAny();
  }

  void step(Stream& stream) {
    auto work = std::move(stream.work.front());
    stream.work.pop_front();
    std::string& failure = stream.gpu->failure;
    if (!failure.empty()) return;
    try {
      running_ = stream.gpu;
      work();
    } catch (const Failure& problem) {
      failure = problem.what();
    }
  }

  /// Runs what comes first in one of the streams.
  void stepAny() {
    std::vector<Stream*> busy;
    for (const auto& stream : streams) {
      if (!stream->work.empty()) busy.push_back(stream.get());
    }
    if (!busy.empty()) step(*busy[next() % busy.size()]);
  }

  void finish(Stream& stream) {
    while (!stream.work.empty()) {
      if (next() % 4 == 0) stepAny();
      if (!stream.work.empty()) step(stream);
    }
  }

  void copy(void* to, const void* from, size_t bytes, bool up) {
    if (!holds(device, up ? to : from, bytes, running_)) throw Failure("a copy leaves the device's memory");
    if (!holds(pinned, up ? from : to, bytes, nullptr)) {
      throw Failure("a copy does not lie in pinned memory");
    }
    std::memcpy(to, from, bytes);
    (up ? uploaded : downloaded) += bytes;
  }

  /// From one place of the device's memory to another.
  void move(void* to, const void* from, size_t bytes) {
    if (!holds(device, to, bytes, running_) || !holds(device, from, bytes, running_)) {
      throw Failure("a copy leaves the device's memory");
    }
    std::memcpy(to, from, bytes);
  }

  void set(void* to, int value, size_t bytes) {
    if (!holds(device, to, bytes, running_)) throw Failure("memory beyond the device's is set");
    std::memset(to, value, bytes);
  }

  /// An access of a kernel, where its source is compiled to tell of them (see watch.cpp).
  void touch(const void* address, size_t bytes, bool writes) {
    char* const first = static_cast<char*>(const_cast<void*>(address));
    if (first < lastTouched_.begin || first + bytes > lastTouched_.end) {
      const auto after = device.upper_bound(first);
      if (after == device.begin()) return;
      const auto& [begin, allocation] = *std::prev(after);
      const size_t size = allocation.bytes;
      if (first >= begin + size + kGuard) return;
      if (first + bytes > begin + size || allocation.gpu != running_) {
        beyond_ = true;
        return;
      }
      char* part = begin;
      if (size > kCache) part += static_cast<size_t>(first - begin) / kPart * kPart;
      const size_t length = size > kCache ? std::min(kPart, size - static_cast<size_t>(part - begin)) : size;
      lastTouched_ = {part, part + length, &moved_[part]};
      lastTouched_.touched->bytes = length;
    }
    (writes ? lastTouched_.touched->written : lastTouched_.touched->read) += bytes;
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
    if (beyond_) throw Failure("a kernel touches memory behind an allocation, or of another device");
    launches.push_back({counted(&Touched::read), counted(&Touched::written)});
  }

 private:
  /// A small allocation or a part of a large one, and what a launch moved of it, again and again.
  struct Touched : Launch {
    size_t bytes = 0;
  };

  size_t counted(size_t Launch::*moved) const {
    size_t sum = 0;
    std::vector<size_t> again;  // of the parts of large allocations
    for (const auto& [begin, touched] : moved_) {
      const bool small = std::prev(device.upper_bound(begin))->second.bytes <= kCache;
      const size_t once = std::min(touched.*moved, touched.bytes);
      sum += small ? once : touched.*moved;
      if (!small) again.push_back(touched.*moved - once);
    }
    const size_t cached = std::min(again.size(), kCache / kPart);
    std::partial_sort(again.begin(), again.begin() + static_cast<ptrdiff_t>(cached), again.end(),
                      std::greater<>());
    return std::accumulate(again.begin(), again.begin() + static_cast<ptrdiff_t>(cached), sum,
                           std::minus<>());
  }

  std::map<char*, Touched> moved_;
  struct {
    char *begin = nullptr, *end = nullptr;
    Touched* touched = nullptr;
  } lastTouched_;
  bool beyond_ = false;
  Gpu* running_ = nullptr;  // whose work is run
};

}  // namespace emulation
