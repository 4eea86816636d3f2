#include "environment.h"

#include <utility>

#include "call.h"

namespace seine {

void Environment::create(napi_env env) {
  auto* const self = new Environment(env);
  check(napi_set_instance_data(
            env, self, [](napi_env, void* data, void*) { delete static_cast<Environment*>(data); }, nullptr),
        "the instance data");
  napi_value name;
  check(napi_create_string_utf8(env, "seine", NAPI_AUTO_LENGTH, &name), "a string");
  check(napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, self, onWake,
                                        &self->mailbox_->wake),
        "a thread-safe function");
  // An idle addon must not keep the process alive.
  check(napi_unref_threadsafe_function(env, self->mailbox_->wake), "a thread-safe function");
  // Runs before the thread-safe function goes: hooks run in reverse order.
  check(napi_add_env_cleanup_hook(env, onTeardown, self), "a cleanup hook");
}

Environment& Environment::of(napi_env env) {
  void* data = nullptr;
  check(napi_get_instance_data(env, &data), "the instance data");
  return *static_cast<Environment*>(data);
}

napi_value Environment::startJob(Job job, std::function<void(Done)> start, uint32_t* number) {
  napi_value promise;
  check(napi_create_promise(env_, &job.deferred, &promise), "a promise");
  const uint32_t own = nextNumber_++;
  if (jobs_.empty()) napi_ref_threadsafe_function(env_, mailbox_->wake);
  jobs_.emplace(own, std::move(job));
  try {
    start([mailbox = mailbox_, own](std::optional<Error> failure) {
      mailbox->post({own, std::move(failure)});
    });
  } catch (const Error& error) {
    mailbox_->post({own, error});
  } catch (const std::bad_alloc&) {
    mailbox_->post({own, Error("ERR_OUT_OF_MEMORY", "Memory ran out when a job was started.")});
  }
  *number = own;
  return promise;
}

void Environment::cancel(uint32_t number) {
  const auto found = jobs_.find(number);
  if (found != jobs_.end() && found->second.cancelled) *found->second.cancelled = true;
}

void Environment::Mailbox::post(Ended end) {
  std::lock_guard lock(mutex);
  if (!open) return;
  ended.push_back(std::move(end));
  napi_call_threadsafe_function(wake, nullptr, napi_tsfn_nonblocking);
}

void Environment::onWake(napi_env env, napi_value, void* context, void*) {
  // Without an environment the queue is only being emptied.
  if (env != nullptr) static_cast<Environment*>(context)->settleEnded();
}

void Environment::onTeardown(void* data) {
  auto* const self = static_cast<Environment*>(data);
  for (auto& [number, job] : self->jobs_) {
    if (job.cancelled) *job.cancelled = true;
  }
  self->lease_->end();
  std::lock_guard lock(self->mailbox_->mutex);
  self->mailbox_->open = false;
  self->mailbox_->ended.clear();
}

void Environment::settleEnded() {
  std::vector<Ended> ended;
  {
    std::lock_guard lock(mailbox_->mutex);
    ended.swap(mailbox_->ended);
  }
  for (Ended& end : ended) {
    auto node = jobs_.extract(end.number);
    if (jobs_.empty()) napi_unref_threadsafe_function(env_, mailbox_->wake);
    napi_handle_scope scope;
    if (napi_open_handle_scope(env_, &scope) != napi_ok) continue;
    settle(node.mapped(), std::move(end.failure));
    napi_close_handle_scope(env_, scope);
  }
}

void Environment::settle(Job& job, std::optional<Error> failure) {
  // Statuses are not looked at: they tell only that the environment is being terminated.
  if (!failure) {
    try {
      napi_value value = job.value(env_);
      napi_resolve_deferred(env_, job.deferred, value);
    } catch (const Error& error) {
      failure = error;
    }
  }
  if (failure) {
    napi_value error = makeError(env_, *failure);
    if (error != nullptr) napi_reject_deferred(env_, job.deferred, error);
  }
  for (napi_ref reference : job.kept) napi_delete_reference(env_, reference);
}

}  // namespace seine
