#include "tracker/service/tracker_loop.h"

#include <spdlog/spdlog.h>

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "tracker/core/trial_blobs.h"
#include "tracker/core/validate.h"

namespace tunefleet::tracker {
namespace {

absl::Status ShuttingDown() { return absl::UnavailableError("the tracker is shutting down"); }

Event ToEvent(StreamId stream, v1::AgentMessage message) {
  switch (message.message_case()) {
    case v1::AgentMessage::kHello:
      return AgentHello{stream, std::move(*message.mutable_hello())};
    case v1::AgentMessage::kStarted:
      return AgentStarted{stream, message.started().lease()};
    case v1::AgentMessage::kFinished:
      return AgentFinished{stream, message.finished().lease(),
                           std::move(*message.mutable_finished()->mutable_result())};
    case v1::AgentMessage::kReturned:
      return AgentReturned{stream,
                           {message.returned().leases().begin(), message.returned().leases().end()},
                           message.returned().reason()};
    case v1::AgentMessage::kProbed:
      return AgentProbed{stream, std::move(*message.mutable_probed())};
    default:  // validated: nothing else is left
      return AgentDraining{stream};
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<TrackerLoop>> TrackerLoop::Start(const Settings& settings, absl::Duration tick,
                                                                Store* store, BlobStore* blobs,
                                                                const common::Clock* clock, Callbacks callbacks) {
  TF_ASSIGN_OR_RETURN(const Snapshot snapshot, store->Load());
  // Before anything is served, so that nothing can have been evicted.
  for (const Snapshot::Trial& stored : snapshot.trials) {
    if (stored.trial == nullptr) continue;
    const std::vector<std::string> missing = blobs->Pin(TrialBlobs(*stored.trial));
    if (!missing.empty()) spdlog::warn("trial {}: {} of its blobs are gone", stored.trial_id, missing.size());
  }
  std::unique_ptr<TrackerLoop> loop(
      new TrackerLoop(settings, snapshot, tick, store, blobs, clock, std::move(callbacks)));
  // The pointer stays valid: Stop ends the store's thread.
  store->Start([loop = loop.get()](absl::StatusOr<uint64_t> number) {
    loop->executor_.Post([loop, number = std::move(number)] { loop->OnDurable(number); });
  });
  return loop;
}

TrackerLoop::TrackerLoop(const Settings& settings, const Snapshot& snapshot, absl::Duration tick, Store* store,
                         BlobStore* blobs, const common::Clock* clock, Callbacks callbacks)
    : store_(store),
      blobs_(blobs),
      clock_(clock),
      callbacks_(std::move(callbacks)),
      core_(settings, snapshot, clock->Now()),
      executor_(tick, [this] { Handle(Tick{}); }) {}

TrackerLoop::~TrackerLoop() { Stop(); }

void TrackerLoop::Stop() {
  Close();
  store_->Stop();
  executor_.Stop();
}

void TrackerLoop::Close() {
  executor_.Post([this] { CloseAll(ShuttingDown()); });
}

// ---------------------------------------------------------------- coming in

StreamId TrackerLoop::AddAgent(std::shared_ptr<AgentSink> sink) {
  const StreamId stream = ++last_id_;
  executor_.Post([this, stream, sink = std::move(sink)] {
    if (!closed_.ok()) return sink->Close(closed_);
    agents_[stream] = sink;
    sink->ReadNext();
  });
  return stream;
}

void TrackerLoop::OnMessage(StreamId stream, v1::AgentMessage message) {
  absl::Status status = ValidateAgentMessage(message);
  if (!status.ok() && message.has_finished()) {
    if (absl::StatusOr<v1::Finished> refused = RefusedResult(message.finished().lease(), status); refused.ok()) {
      spdlog::warn("agent stream {}: a result is refused: {}", stream, std::string(status.message()));
      *message.mutable_finished() = *std::move(refused);
      status = absl::OkStatus();
    }
  }
  auto shared = std::make_shared<v1::AgentMessage>(std::move(message));  // std::function copies
  executor_.Post([this, stream, status = std::move(status), shared] {
    const auto agent = agents_.find(stream);
    if (agent == agents_.end()) return;
    if (!status.ok()) {
      spdlog::warn("agent stream {} closed: {}", stream, std::string(status.message()));
      return agent->second->Close(status);
    }
    const std::shared_ptr<AgentSink> sink = agent->second;
    Handle(ToEvent(stream, std::move(*shared)));
    sink->ReadNext();
  });
}

void TrackerLoop::RemoveAgent(StreamId stream) {
  executor_.Post([this, stream] {
    agents_.erase(stream);
    Handle(AgentLost{stream});
  });
}

WatcherId TrackerLoop::AddWatcher(const v1::WatchRequest& request, std::shared_ptr<WatchSink> sink) {
  const WatcherId watcher = ++last_id_;
  executor_.Post([this, watcher, request, sink = std::move(sink)] {
    if (!closed_.ok()) return sink->Close(closed_);
    watchers_[watcher] = sink;
    Handle(StartWatch{watcher, request});
  });
  return watcher;
}

void TrackerLoop::RemoveWatcher(WatcherId watcher) {
  executor_.Post([this, watcher] {
    watchers_.erase(watcher);
    Handle(StopWatch{watcher});
  });
}

template <typename Response>
void TrackerLoop::Call(ReplyTo<Response> reply, std::function<Event(CallId)> make) {
  const CallId call = ++last_id_;
  executor_.Post([this, call, reply = std::move(reply), make = std::move(make)] {
    if (!closed_.ok()) return reply(closed_);
    calls_[call] = [reply](const Reply& answer) {
      if (!answer.status.ok()) return reply(answer.status);
      reply(std::get<Response>(answer.response));
    };
    Handle(make(call));
  });
}

void TrackerLoop::OpenJob(v1::OpenJobRequest request, ReplyTo<v1::OpenJobResponse> reply) {
  if (absl::Status status = ValidateOpenJob(request); !status.ok()) return reply(status);
  Call<v1::OpenJobResponse>(std::move(reply), [request = std::move(request)](CallId call) -> Event {
    return tracker::OpenJob{call, request};
  });
}

void TrackerLoop::Submit(const v1::SubmitRequest& request, ReplyTo<v1::SubmitResponse> reply) {
  if (absl::Status status = ValidateSubmit(request); !status.ok()) return reply(status);
  std::vector<std::shared_ptr<const v1::Trial>> trials;
  for (const v1::Trial& trial : request.trials()) trials.push_back(std::make_shared<const v1::Trial>(trial));
  Call<v1::SubmitResponse>(std::move(reply),
                           [this, job_id = request.job_id(), trials = std::move(trials)](CallId call) -> Event {
                             tracker::Submit submit{call, job_id, {}};
                             for (const auto& trial : trials) {
                               submit.trials.push_back({trial, blobs_->Pin(TrialBlobs(*trial))});
                             }
                             return submit;
                           });
}

void TrackerLoop::Acknowledge(v1::AcknowledgeRequest request, ReplyTo<v1::AcknowledgeResponse> reply) {
  Call<v1::AcknowledgeResponse>(std::move(reply), [request = std::move(request)](CallId call) -> Event {
    return tracker::Acknowledge{call, request};
  });
}

void TrackerLoop::CancelJob(v1::CancelJobRequest request, ReplyTo<v1::CancelJobResponse> reply) {
  Call<v1::CancelJobResponse>(std::move(reply), [job_id = request.job_id()](CallId call) -> Event {
    return tracker::CancelJob{call, job_id};
  });
}

void TrackerLoop::ProbeDevice(v1::ProbeDeviceRequest request, ReplyTo<v1::ProbeDeviceResponse> reply) {
  Call<v1::ProbeDeviceResponse>(std::move(reply), [device_id = request.device_id()](CallId call) -> Event {
    return tracker::ProbeDevice{call, device_id};
  });
}

void TrackerLoop::ListDevices(ReplyTo<v1::ListDevicesResponse> reply) {
  executor_.Post([this, reply = std::move(reply)] { reply(core_.ListDevices(clock_->Now())); });
}

void TrackerLoop::ListJobs(ReplyTo<v1::ListJobsResponse> reply) {
  executor_.Post([this, reply = std::move(reply)] { reply(core_.ListJobs()); });
}

// ---------------------------------------------------------------- the loop's thread

void TrackerLoop::Handle(const Event& event) {
  if (failed_) return;  // the core is ahead of the store: it decides nothing any more
  for (Action& action : core_.Handle(event, clock_->Now())) {
    if (auto* commit = std::get_if<Commit>(&action.what)) {
      store_->Enqueue(std::move(*commit));
    } else {
      pending_.push_back(std::move(action));
    }
  }
  RunPending();
}

void TrackerLoop::OnDurable(const absl::StatusOr<uint64_t>& number) {
  if (!number.ok()) return Fail(number.status());
  durable_ = *number;
  RunPending();
}

void TrackerLoop::RunPending() {
  while (!pending_.empty() && pending_.front().waits_for <= durable_) {
    const Action action = std::move(pending_.front());
    pending_.pop_front();
    Run(action);
  }
}

void TrackerLoop::Run(const Action& action) {
  std::visit(
      [this](const auto& what) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(what)>, Commit>) Do(what);
      },
      action.what);
}

void TrackerLoop::Do(const SendToAgent& action) {
  const auto agent = agents_.find(action.stream);
  if (agent != agents_.end()) agent->second->Send(action.message);
}

void TrackerLoop::Do(const CloseStream& action) {
  const auto agent = agents_.find(action.stream);
  if (agent == agents_.end()) return;
  spdlog::warn("agent stream {} closed: {}", action.stream, std::string(action.status.message()));
  agent->second->Close(action.status);
}

void TrackerLoop::Do(const SendResult& action) {
  const auto watcher = watchers_.find(action.watcher);
  if (watcher != watchers_.end()) watcher->second->Send(action.cursor, action.result);
}

void TrackerLoop::Do(const CloseWatch& action) {
  const auto watcher = watchers_.find(action.watcher);
  if (watcher != watchers_.end()) watcher->second->Close(action.status);
}

void TrackerLoop::Do(const Reply& action) {
  const auto call = calls_.find(action.call);
  if (call == calls_.end()) return;
  const std::function<void(const Reply&)> reply = std::move(call->second);
  calls_.erase(call);
  reply(action);
}

void TrackerLoop::Do(const ReleaseBlobs& action) { blobs_->Unpin(TrialBlobs(*action.trial)); }

void TrackerLoop::Do(const PowerCycle& action) {
  spdlog::warn("device {} is lost: power cycle {}", action.device_id, action.attempt);
  callbacks_.power_cycle(action);
}

void TrackerLoop::CloseAll(const absl::Status& status) {
  if (!closed_.ok()) return;
  closed_ = status;
  for (const auto& [stream, sink] : agents_) sink->Close(status);
  for (const auto& [watcher, sink] : watchers_) sink->Close(status);
}

void TrackerLoop::Fail(const absl::Status& status) {
  failed_ = true;
  pending_.clear();
  const absl::Status unavailable =
      absl::UnavailableError(absl::StrCat("the tracker cannot store its state: ", status.message()));
  CloseAll(unavailable);
  for (const auto& [call, answer] : std::exchange(calls_, {})) answer(Reply{call, unavailable});
  callbacks_.on_failure(status);
}

}  // namespace tunefleet::tracker
