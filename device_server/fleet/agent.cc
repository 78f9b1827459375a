#include "device_server/fleet/agent.h"

#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/clock.h"
#include "common/proto_time.h"
#include "device_server/fleet/backoff.h"
#include "device_server/measure/core_lock.h"
#include "device_server/measure/trial_check.h"

namespace tunefleet::device {
namespace {

constexpr int kControlNice = -10;
constexpr absl::Duration kFirstMessageTimeout = absl::Seconds(10);
// How long a drained agent waits for a stream that was just opened to be welcomed, and for the tracker to close it.
constexpr absl::Duration kFarewell = absl::Seconds(2);
// How much longer than its limit a trial takes, or a check, before something must be wrong with the agent itself.
constexpr absl::Duration kHangSlack = absl::Minutes(1);
// A trial without a deadline on its lease.
constexpr absl::Duration kDefaultTimeLimit = absl::Minutes(10);

absl::Duration TimeLimit(const v1::Assign& assign) {
  return assign.has_deadline() ? common::DurationFromProto(assign.deadline()) : kDefaultTimeLimit;
}

}  // namespace

Agent::Agent(Options options, std::vector<Slot> slots, std::unique_ptr<ResultJournal> journal)
    : options_(std::move(options)),
      slots_(std::move(slots)),
      cache_(options_.blob_cache_bytes),
      connection_(options_.tracker),
      fetcher_(&connection_, &cache_, absl::Milliseconds(200)),
      keeper_(std::move(journal), options_.keep_after),
      core_(options_.hello, keeper_.Load()),
      connection_thread_([this] { ConnectionMain(); }),
      keeper_thread_([this] { KeeperMain(); }) {
  for (const Slot& slot : slots_) device_threads_.emplace_back([this, &slot] { DeviceMain(slot); });
}

Agent::~Agent() {
  {
    const common::MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.SignalAll();
  }
  connection_.Cancel();
  for (const Slot& slot : slots_) slot.runner->Abort();
  connection_thread_.join();
  keeper_thread_.join();
  for (std::thread& thread : device_threads_) thread.join();
}

void Agent::Post(AgentCore::Messages messages) {
  for (v1::AgentMessage& message : messages) outbox_.push_back(std::move(message));
  changed_.SignalAll();
}

std::optional<v1::AgentMessage> Agent::NextToSend() {
  const common::MutexLock lock(&mutex_);
  if (outbox_.empty()) return std::nullopt;
  v1::AgentMessage message = std::move(outbox_.front());
  outbox_.pop_front();
  return message;
}

void Agent::OnMessage(const v1::TrackerMessage& message) {
  if (message.has_welcome()) spdlog::info("connected to the tracker at {}", options_.tracker);
  if (message.has_revoke()) {
    spdlog::info("trial {} was revoked: {}", message.revoke().lease().trial_id(), message.revoke().reason());
  }
  std::vector<std::string> ahead;
  {
    const common::MutexLock lock(&mutex_);
    Post(core_.OnMessage(message));
    for (const v1::Assign* assign : core_.Assigned()) {
      const std::vector<std::string> blobs = BlobsOf(assign->trial());
      ahead.insert(ahead.end(), blobs.begin(), blobs.end());
    }
  }
  fetcher_.Want(ahead);
}

void Agent::ConnectionMain() {
  Backoff backoff(options_.first_retry, options_.longest_retry);
  absl::BitGen random;
  while (true) {
    {
      const common::MutexLock lock(&mutex_);
      if (stopping_) return;
      outbox_.clear();
      Post({core_.Open()});
    }
    const absl::Status status = connection_.Stream(this, kFirstMessageTimeout);
    {
      const common::MutexLock lock(&mutex_);
      if (core_.welcomed()) backoff.Reset();
      core_.Close();
      outbox_.clear();
      changed_.SignalAll();
      if (stopping_ || core_.Drained()) return;
    }
    const absl::Duration wait = backoff.Next(random);
    spdlog::warn("no connection to the tracker at {}: {}; next attempt in {}", options_.tracker,
                 status.ok() ? "the tracker closed the stream" : std::string(status.message()),
                 absl::FormatDuration(absl::Trunc(wait, absl::Milliseconds(1))));
    const absl::Time until = common::MonotonicClock().Now() + wait;
    const common::MutexLock lock(&mutex_);
    while (!stopping_ && common::MonotonicClock().Now() < until) {
      changed_.WaitWithTimeout(&mutex_, until - common::MonotonicClock().Now());
    }
  }
}

std::vector<v1::Finished> Agent::Unacknowledged() const {
  const common::MutexLock lock(&mutex_);
  return {core_.unacknowledged().begin(), core_.unacknowledged().end()};
}

void Agent::KeeperMain() {
  while (true) {
    {
      const common::MutexLock lock(&keeper_mutex_);
      keeper_.Update(Unacknowledged(), common::MonotonicClock().Now());
    }
    const absl::Time until = common::MonotonicClock().Now() + options_.keep_after / 4;
    const common::MutexLock lock(&mutex_);
    while (!stopping_ && common::MonotonicClock().Now() < until) {
      changed_.WaitWithTimeout(&mutex_, until - common::MonotonicClock().Now());
    }
    if (stopping_) return;
  }
}

size_t Agent::SaveResults() {
  const common::MutexLock lock(&keeper_mutex_);
  return keeper_.SaveAll(Unacknowledged());
}

Agent::Work Agent::WaitForWork(const Slot& slot) {
  const common::MutexLock lock(&mutex_);
  while (!stopping_) {
    Work work{.probe = core_.TakeProbe(slot.device_id), .assign = std::nullopt};
    if (const v1::Assign* assign = core_.Next(slot.device_id); !work && assign != nullptr) work.assign = *assign;
    if (work) return work;
    changed_.Wait(&mutex_);
  }
  return {};
}

bool Agent::Alive() const { return due_.AllInTime(common::MonotonicClock().Now()); }

bool Agent::InVain(const v1::Lease& lease) {
  const common::MutexLock lock(&mutex_);
  return stopping_ || core_.Revoked(lease);
}

void Agent::DeviceMain(const Slot& slot) {
  // Where it must share a core with the kernel, the control thread goes first. Refused to the unprivileged: harmless.
  setpriority(PRIO_PROCESS, 0, kControlNice);
  while (const Work work = WaitForWork(slot)) {
    if (work.probe) {
      CheckDevice(slot, *work.probe);
    } else {
      CarryOut(slot, *work.assign);
    }
    due_.Clear(slot.device_id);
  }
  slot.runner->End();  // here, because this thread may have started the zygote anew
}

std::optional<CoreLock> Agent::LockCores(const Slot& slot, const std::function<bool()>& give_up) {
  due_.Set(slot.device_id, common::MonotonicClock().Now() + options_.longest_turn);
  return CoreLock::Acquire(slot.cores, options_.lock_scope, give_up);
}

void Agent::CarryOut(const Slot& slot, const v1::Assign& assign) {
  const auto in_vain = [&] { return InVain(assign.lease()); };
  const absl::StatusOr<HeldBlobs> blobs = fetcher_.Wait(BlobsOf(assign.trial()), in_vain);
  if (absl::IsCancelled(blobs.status())) return;  // revoked, returned by a drain, or stopping
  const std::optional<CoreLock> lock = LockCores(slot, in_vain);
  if (!lock) return;
  {
    const common::MutexLock mutex_lock(&mutex_);
    AgentCore::Messages messages;
    if (stopping_ || !core_.Start(assign.lease(), &messages)) return;
    due_.Set(slot.device_id, common::MonotonicClock().Now() + TimeLimit(assign) + kHangSlack);
    Post(std::move(messages));
  }
  connection_.Wake();
  const HeldBlobs none;
  v1::TrialResult result = slot.runner->Run({.trial = assign.trial(),
                                             .blobs = blobs.ok() ? *blobs : none,
                                             .time_limit = TimeLimit(assign),
                                             .cancelled = in_vain});
  if (!blobs.ok()) result.set_detail(OneLine(std::string(blobs.status().message())));
  spdlog::debug("trial {}: {} {}", result.trial_id(), v1::Outcome_Name(result.outcome()), result.detail());
  {
    const common::MutexLock mutex_lock(&mutex_);
    Post(core_.Finish(assign.lease(), std::move(result)));
  }
  connection_.Wake();
}

void Agent::CheckDevice(const Slot& slot, const v1::Probe& probe) {
  const std::optional<CoreLock> lock = LockCores(slot, [this] {
    const common::MutexLock mutex_lock(&mutex_);
    return stopping_;
  });
  if (!lock) return;
  const absl::Time begin = common::MonotonicClock().Now();
  due_.Set(slot.device_id, begin + kHangSlack);  // a check takes milliseconds
  const absl::Status status = slot.runner->Probe();
  const absl::Duration elapsed = common::MonotonicClock().Now() - begin;
  v1::Probed probed;
  probed.set_probe(probe.probe());
  probed.set_device_id(slot.device_id);
  probed.set_healthy(status.ok());
  probed.set_detail(OneLine(status.ok() ? absl::StrCat("a worker starts and is confined by ",
                                                       absl::StrJoin(SandboxNames(slot.runner->sandbox()), ", "))
                                        : std::string(status.message())));
  *probed.mutable_elapsed() = common::DurationToProto(elapsed);
  spdlog::info("device {} was checked: {}", slot.device_id, probed.detail());
  {
    const common::MutexLock mutex_lock(&mutex_);
    Post(core_.Answer(probed));
  }
  connection_.Wake();
}

void Agent::Drain() {
  {
    const common::MutexLock lock(&mutex_);
    Post(core_.Drain());
  }
  connection_.Wake();
}

bool Agent::WaitUntilDrained(absl::Duration timeout) {
  const absl::Time until = common::MonotonicClock().Now() + timeout;
  // True once the condition holds, or from `limit` on.
  const auto wait_for = [&](auto condition, absl::Time limit) {
    const common::MutexLock lock(&mutex_);
    while (!condition()) {
      const absl::Time now = common::MonotonicClock().Now();
      if (now >= limit) return true;
      if (now >= until) return false;
      changed_.WaitWithTimeout(&mutex_, std::min(limit, until) - now);
    }
    return true;
  };
  const auto drained = [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return core_.Drained(); };
  const auto not_greeting = [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return !core_.greeting(); };
  const auto closed = [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return !core_.welcomed(); };
  if (!wait_for(drained, absl::InfiniteFuture())) return false;
  // So that the tracker learns it now and not after a grace period: what a Welcome lets out, then the stream's end.
  if (!wait_for(not_greeting, FarewellEnd(&greeting_end_))) return false;
  connection_.FinishSending();
  return wait_for(closed, FarewellEnd(&closing_end_));
}

absl::Time Agent::FarewellEnd(std::optional<absl::Time>* end) {
  const common::MutexLock lock(&mutex_);
  if (!end->has_value()) *end = common::MonotonicClock().Now() + kFarewell;
  return **end;
}

}  // namespace tunefleet::device
