#include "detachedThread.h"

#include <cfenv>
#include <thread>
#include <utility>

#include "pin.h"

#if !defined(_WIN32)
#include <csignal>
#endif

namespace seine {
namespace {

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

}  // namespace

void startDetachedThread(std::function<void()> run) {
  pinLibrary();
  SignalsBlocked blocked;
  std::thread([run = std::move(run)] {
    // A thread inherits its creator's floating-point state; the error bounds need denormals and rounding to
    // nearest.
    std::fesetenv(FE_DFL_ENV);
    run();
  }).detach();
}

}  // namespace seine
