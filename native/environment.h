// What the addon keeps for one JavaScript environment (the main thread or a worker): jobs under way, how
// their ends reach the event loop, and a clean end when the environment is torn down in mid-job.
#pragma once

#include <node_api.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "backend.h"
#include "borrowed.h"

namespace seine {

/// A promise that waits for the end of work elsewhere.
struct Job {
  napi_deferred deferred = nullptr;
  /// Buffers that the job reads or fills; kept alive until it ends.
  std::vector<napi_ref> kept;
  /// Set to cancel the job, if it can be: when the environment ends, too.
  std::shared_ptr<std::atomic<bool>> cancelled;
  /// Makes the promise's value on the JavaScript thread; may throw Error.
  std::function<napi_value(napi_env)> value;
};

class Environment {
 public:
  /// Sets the environment up; throws Error.
  static void create(napi_env env);
  static Environment& of(napi_env env);

  const std::shared_ptr<Lease>& lease() const { return lease_; }

  /// Registers a job and makes its promise and its number. The result of `start` is ignored if it throws.
  napi_value startJob(Job job, std::function<void(Done)> start, uint32_t* number);
  /// Asks a job to stop; unknown numbers are jobs that have ended.
  void cancel(uint32_t number);

 private:
  struct Ended {
    uint32_t number;
    std::optional<Error> failure;
  };
  /// Shared with the threads that end jobs; outlives the environment.
  struct Mailbox {
    std::mutex mutex;
    bool open = true;
    napi_threadsafe_function wake = nullptr;
    std::vector<Ended> ended;

    void post(Ended end);
  };

  explicit Environment(napi_env env) : env_(env) {}
  static void onWake(napi_env env, napi_value, void*, void* data);
  static void onTeardown(void* data);
  void settleEnded();
  void settle(Job& job, std::optional<Error> failure);

  napi_env env_;
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  std::shared_ptr<Lease> lease_ = std::make_shared<Lease>();
  std::unordered_map<uint32_t, Job> jobs_;
  uint32_t nextNumber_ = 1;
};

}  // namespace seine
