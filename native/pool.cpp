#include "pool.h"

#include <atomic>
#include <cfenv>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>

#include "error.h"
#include "pin.h"

#if !defined(_WIN32)
#include <csignal>
#endif

namespace seine {
namespace {

struct Batch {
  size_t tasks;
  std::function<void(size_t)> run;
  std::function<void()> finished;
  size_t next = 0;  // guarded by the pool's mutex
  std::atomic<size_t> left;
};

/// Signals are for Node's threads: a pool thread starts with all of them blocked.
class SignalsBlocked {
 public:
#if defined(_WIN32)
  SignalsBlocked() = default;
#else
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
#endif
};

class Pool {
 public:
  size_t start(size_t threads) {
    std::lock_guard lock(mutex_);
    if (threads_ > 0) return threads_;
    pinLibrary();
    SignalsBlocked blocked;
    try {
      for (; threads_ < threads; threads_++) std::thread([this] { work(); }).detach();
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
    // A thread inherits its creator's floating-point state; the error bounds need denormals and rounding to
    // nearest.
    std::fesetenv(FE_DFL_ENV);
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
