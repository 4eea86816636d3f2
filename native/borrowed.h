// Memory of a JavaScript buffer that other threads read: it lives no longer than its environment, which may
// be torn down at any moment (worker.terminate()).
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>

namespace seine {

/// Keeps an environment's memory readable while somebody reads; its end waits for readers.
class Lease {
 public:
  /// False once the environment is ending: nothing of it may be touched.
  bool enter() {
    std::lock_guard lock(mutex_);
    if (ended_) return false;
    readers_++;
    return true;
  }
  void leave() {
    std::lock_guard lock(mutex_);
    if (--readers_ == 0) idle_.notify_all();
  }
  /// Refuses new readers and waits for those inside; they read a slice at a time.
  void end() {
    std::unique_lock lock(mutex_);
    ended_ = true;
    idle_.wait(lock, [this] { return readers_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable idle_;
  size_t readers_ = 0;
  bool ended_ = false;
};

/// Memory under a lease: `T` holds pointers and sizes.
template <typename T>
class Borrowed {
 public:
  Borrowed(std::shared_ptr<Lease> lease, T memory) : lease_(std::move(lease)), memory_(memory) {}

  /// Its sizes; what it points to is there only inside of `read`.
  const T& memory() const { return memory_; }

  /// Calls `read(memory)` if the memory is still there; returns whether it was. Read slices of some
  /// milliseconds: the end of the environment waits for them.
  template <typename Read>
  bool read(Read read) const {
    if (!lease_->enter()) return false;
    struct Leave {
      Lease& lease;
      ~Leave() { lease.leave(); }
    } leave{*lease_};
    read(memory_);
    return true;
  }

 private:
  std::shared_ptr<Lease> lease_;
  T memory_;
};

}  // namespace seine
