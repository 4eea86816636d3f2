#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace seine {

/// What threads work with, reused from task to task: no more of them than tasks that ran at once.
template <typename T>
class ScratchPool {
 public:
  /// One that nobody uses, or what `make` makes. What a task loses by an exception is not given back.
  template <typename Make>
  std::unique_ptr<T> take(Make make) {
    {
      std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        std::unique_ptr<T> scratch = std::move(idle_.back());
        idle_.pop_back();
        return scratch;
      }
    }
    return make();
  }

  void giveBack(std::unique_ptr<T> scratch) {
    std::lock_guard lock(mutex_);
    idle_.push_back(std::move(scratch));
  }

  /// All of them, once no task runs any more.
  const std::vector<std::unique_ptr<T>>& all() const { return idle_; }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<T>> idle_;
};

}  // namespace seine
