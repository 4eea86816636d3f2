#include "pool.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>

#include "detachedThread.h"
#include "error.h"

namespace seine {
namespace {

struct Batch {
  size_t tasks;
  std::function<void(size_t)> run;
  std::function<void()> finished;
  size_t next = 0;  // guarded by the pool's mutex
  std::atomic<size_t> left;
};

class Pool {
 public:
  size_t start(size_t threads) {
    std::lock_guard lock(mutex_);
    if (threads_ > 0) return threads_;
    try {
      for (; threads_ < threads; threads_++) startDetachedThread([this] { work(); });
    } catch (const std::system_error& error) {
      if (threads_ == 0) {
        throw Error("ERR_OUT_OF_MEMORY", std::string("No thread could be started: ") + error.what() + ".");
      }
    }
    return threads_;
  }

  void submit(std::shared_ptr<Batch> batch) {
    {
      std::lock_guard lock(mutex_);
      queue_.push_back(std::move(batch));
    }
    wake_.notify_all();
  }

 private:
  [[noreturn]] void work() {
    for (;;) {
      auto [batch, task] = take();
      batch->run(task);
      if (batch->left.fetch_sub(1) == 1) batch->finished();
    }
  }

  /// The next task of the batch at the front, which then goes to the back.
  std::pair<std::shared_ptr<Batch>, size_t> take() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return !queue_.empty(); });
    std::shared_ptr<Batch> batch = std::move(queue_.front());
    queue_.pop_front();
    const size_t task = batch->next++;
    if (batch->next < batch->tasks) queue_.push_back(batch);
    return {std::move(batch), task};
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<Batch>> queue_;
  size_t threads_ = 0;
};

/// Never destroyed: its threads outlive static destructors.
Pool& pool() {
  static Pool* const instance = new Pool;
  return *instance;
}

}  // namespace

void submit(size_t tasks, std::function<void(size_t)> run, std::function<void()> finished) {
  if (tasks == 0) return finished();
  auto batch = std::make_shared<Batch>();
  batch->tasks = tasks;
  batch->run = std::move(run);
  batch->finished = std::move(finished);
  batch->left = tasks;
  pool().submit(std::move(batch));
}

size_t startPool(size_t threads) { return pool().start(threads); }

}  // namespace seine
