// One block of CUDA threads on one processor: a fiber each, scheduled in random order. Warp operations meet
// in a rendezvous of the lanes of their mask; what is undefined on a GPU (a barrier that not all threads
// reach, a mask with lanes that never come or a shuffle from a lane outside of it) ends the block with a
// Failure.
#pragma once

#include <ucontext.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

// All `__shared__` variables lie between these.
extern "C" {
extern char __start_seine_shared[] __attribute__((weak));
extern char __stop_seine_shared[] __attribute__((weak));
}

namespace emulation {

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Dim {
  unsigned x = 1, y = 1, z = 1;
};

enum class Operation { shuffle, shuffleUp, shuffleXor, ballot, sync, together };

class Block {
 public:
  /// Runs `body` once for each of `threads` threads (one dimension).
  void run(const std::function<void()>& body, Dim grid, Dim index, unsigned threads, uint64_t seed) {
    body_ = &body;
    grid_ = grid;
    index_ = index;
    random_.seed(seed);
    failure_ = nullptr;
    if (__start_seine_shared != nullptr) {
      std::memset(__start_seine_shared, static_cast<int>(0x80 | (random_() & 0x7f)),
                  static_cast<size_t>(__stop_seine_shared - __start_seine_shared));
    }
    while (fibers_.size() < threads) fibers_.push_back(std::make_unique<Fiber>());
    threads_ = threads;
    ready_.clear();
    for (unsigned i = 0; i < threads; i++) start(i);
    Block* const outer = std::exchange(current(), this);
    unsigned left = threads;
    while (left > 0 && failure_ == nullptr) {
      if (ready_.empty() && !releaseBarrier()) fail("threads wait for others that never come");
      if (failure_ != nullptr) break;
      std::swap(ready_[random_() % ready_.size()], ready_.back());
      running_ = ready_.back();
      ready_.pop_back();
      enter(*running_);
      if (running_->state == State::done) left--;
    }
    current() = outer;
    if (failure_ != nullptr) std::rethrow_exception(failure_);
  }

  static Block*& current() {
    static thread_local Block* block = nullptr;
    return block;
  }

  Dim grid() const { return grid_; }
  Dim index() const { return index_; }
  unsigned threads() const { return threads_; }
  unsigned thread() const { return running_->thread; }

  /// What `operation` gives the running thread.
  uint32_t meet(Operation operation, unsigned mask, uint32_t value, unsigned argument) {
    Fiber& self = *running_;
    const unsigned lane = self.thread % 32;
    if ((mask >> lane & 1) == 0) throw Failure("a lane is not in the mask of its own operation");
    self.state = State::atRendezvous;
    self.operation = operation;
    self.mask = mask;
    self.value = value;
    self.argument = argument;
    if (allThere(self)) settle(self);
    leave(self);
    return self.result;
  }

  /// All lanes of the warp bring `own`; `run` gets them all, once.
  void together(void* own, void (*run)(void* const (&lanes)[32])) {
    running_->own = own;
    running_->run = run;
    meet(Operation::together, 0xffffffffu, 0, 0);
  }

  /// Asynchronous copies of the running thread. Until one is waited for there is garbage where it goes.
  void startCopy(void* to, const void* from, size_t bytes) {
    std::memset(to, static_cast<int>(random_() & 0xff), bytes);
    running_->open.push_back({to, from, bytes});
  }
  void commitCopies() { running_->committed.push_back(std::exchange(running_->open, {})); }
  void waitCopies(size_t left) {
    auto& groups = running_->committed;
    for (; groups.size() > left; groups.pop_front()) {
      for (const Copy& copy : groups.front()) std::memcpy(copy.to, copy.from, copy.bytes);
    }
  }

  void barrier() {
    running_->state = State::atBarrier;
    leave(*running_);
  }

  /// Lets other threads run, once in `times` at random.
  void pause(unsigned times) {
    if (random_() % times != 0) return;
    running_->state = State::ready;
    ready_.push_back(running_);
    leave(*running_);
  }

 private:
#if defined(__SANITIZE_ADDRESS__)
  static constexpr size_t kStack = 256 << 10;  // with room around each variable
#else
  static constexpr size_t kStack = 64 << 10;
#endif
  enum class State { ready, atRendezvous, atBarrier, done };
  struct Copy {
    void* to;
    const void* from;
    size_t bytes;
  };
  struct Fiber {
    ucontext_t context;
    std::unique_ptr<char[]> stack{new char[kStack]};
    State state;
    unsigned thread;
    Operation operation;
    unsigned mask;
    uint32_t value;
    unsigned argument;
    uint32_t result;
    void* own;
    void (*run)(void* const (&lanes)[32]);
    std::vector<Copy> open;
    std::deque<std::vector<Copy>> committed;
    void* fake;  // of the address sanitizer
  };

  void start(unsigned thread) {
    Fiber& fiber = *fibers_[thread];
    fiber.thread = thread;
    fiber.state = State::ready;
    fiber.fake = nullptr;
    fiber.open.clear();
    fiber.committed.clear();
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = kStack;
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, &Block::begin, 0);
    ready_.push_back(&fiber);
  }

  static void begin() {
    Block& block = *current();
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(nullptr, &block.mainStack_, &block.mainSize_);
#endif
    try {
      (*block.body_)();
    } catch (...) {
      block.failure_ = std::current_exception();
    }
    Fiber& fiber = *block.running_;
    fiber.state = State::done;
    block.leave(fiber);
  }

  void enter(Fiber& fiber) {
#if defined(__SANITIZE_ADDRESS__)
    void* fake = nullptr;
    __sanitizer_start_switch_fiber(&fake, fiber.stack.get(), kStack);
    swapcontext(&main_, &fiber.context);
    __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#else
    swapcontext(&main_, &fiber.context);
#endif
  }

  void leave(Fiber& fiber) {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(fiber.state == State::done ? nullptr : &fiber.fake, mainStack_, mainSize_);
    swapcontext(&fiber.context, &main_);
    __sanitizer_finish_switch_fiber(fiber.fake, &mainStack_, &mainSize_);
#else
    swapcontext(&fiber.context, &main_);
#endif
  }

  void fail(const std::string& why) {
    unsigned waiting = 0, barred = 0, done = 0;
    for (unsigned i = 0; i < threads_; i++) {
      waiting += fibers_[i]->state == State::atRendezvous;
      barred += fibers_[i]->state == State::atBarrier;
      done += fibers_[i]->state == State::done;
    }
    failure_ = std::make_exception_ptr(Failure(why + " (" + std::to_string(waiting) +
                                               " at warp operations, " + std::to_string(barred) +
                                               " at __syncthreads, " + std::to_string(done) + " ended)"));
  }

  bool releaseBarrier() {
    for (unsigned i = 0; i < threads_; i++) {
      if (fibers_[i]->state != State::atBarrier) return false;
    }
    for (unsigned i = 0; i < threads_; i++) {
      fibers_[i]->state = State::ready;
      ready_.push_back(fibers_[i].get());
    }
    return true;
  }

  Fiber& lane(const Fiber& of, unsigned lane) {
    const unsigned thread = of.thread / 32 * 32 + lane;
    if (thread >= threads_) throw Failure("a mask names lanes that do not exist");
    return *fibers_[thread];
  }

  bool allThere(const Fiber& self) {
    for (unsigned i = 0; i < 32; i++) {
      if ((self.mask >> i & 1) == 0) continue;
      const Fiber& other = lane(self, i);
      if (other.state == State::done) throw Failure("a mask names lanes that have ended");
      if (other.state != State::atRendezvous) return false;
      if (other.operation != self.operation || other.mask != self.mask) {
        throw Failure("lanes of one mask are at different operations");
      }
    }
    return true;
  }

  void settle(const Fiber& self) {
    if (self.operation == Operation::together) {
      void* lanes[32];
      for (unsigned i = 0; i < 32; i++) lanes[i] = lane(self, i).own;
      self.run(lanes);
    }
    uint32_t votes = 0;
    for (unsigned i = 0; i < 32; i++) {
      if ((self.mask >> i & 1) != 0 && lane(self, i).value != 0) votes |= 1u << i;
    }
    for (unsigned i = 0; i < 32; i++) {
      if ((self.mask >> i & 1) == 0) continue;
      Fiber& fiber = lane(self, i);
      unsigned source = i;
      if (self.operation == Operation::shuffle) source = fiber.argument % 32;
      if (self.operation == Operation::shuffleXor) source = (i ^ fiber.argument) % 32;
      if (self.operation == Operation::shuffleUp && i >= fiber.argument) source = i - fiber.argument;
      if ((self.mask >> source & 1) == 0) throw Failure("a shuffle reads a lane outside of its mask");
      fiber.result = self.operation == Operation::ballot ? votes : lane(self, source).value;
      fiber.state = State::ready;
      ready_.push_back(&fiber);
    }
  }

  const std::function<void()>* body_ = nullptr;
  Dim grid_, index_;
  unsigned threads_ = 0;
  std::mt19937_64 random_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Fiber*> ready_;
  Fiber* running_ = nullptr;
  std::exception_ptr failure_;
  ucontext_t main_;
  const void* mainStack_ = nullptr;
  size_t mainSize_ = 0;
};

}  // namespace emulation
