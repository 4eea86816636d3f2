// The machine behind the emulated CUDA runtime: memory, streams whose work runs late, counters. Used by one
// thread at a time, as the device's own thread does.
#pragma once

#include <cstdlib>
#include <deque>
#include <functional>
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

struct Machine {
  // Never destroyed: a device thread may be at work when the process ends.
  static Machine& get() {
    static Machine* const machine = new Machine;
    return *machine;
  }

  size_t capacity = setting("SEINE_EMULATED_BYTES", size_t{1} << 30);
  uint64_t seed = setting("SEINE_EMULATED_SEED", 1);
  std::map<char*, size_t> device, pinned;
  size_t allocated = 0;
  size_t uploaded = 0, downloaded = 0, launches = 0;
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

  void runGrid(const std::function<void()>& body, Dim grid, unsigned threads) {
    launches++;
    // Blocks come in any order, too.
    std::vector<Dim> blocks;
    for (unsigned y = 0; y < grid.y; y++) {
      for (unsigned x = 0; x < grid.x; x++) blocks.push_back({x, y, 1});
    }
    for (size_t left = blocks.size(); left > 0; left--) {
      std::swap(blocks[next() % left], blocks[left - 1]);
      block.run(body, grid, blocks[left - 1], threads, next());
    }
  }
};

}  // namespace emulation
