// The tracker's one thread: feeds events to the core and carries out its actions, each when the commit that it waits
// for is durable. Knows nothing of gRPC: agents and watchers are sinks, calls are callbacks.
//
// Thread-safe. Sinks and callbacks are called on the loop's thread, without a lock, and must not block. When the store
// fails the loop closes everything with UNAVAILABLE and serves nobody any more.
#ifndef TUNEFLEET_TRACKER_SERVICE_TRACKER_LOOP_H_
#define TUNEFLEET_TRACKER_SERVICE_TRACKER_LOOP_H_

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock.h"
#include "proto/fleet.pb.h"
#include "tracker/blobs/blob_store.h"
#include "tracker/core/event.h"
#include "tracker/core/settings.h"
#include "tracker/core/tracker_core.h"
#include "tracker/service/serial_executor.h"
#include "tracker/store/store.h"

namespace tunefleet::tracker {

// The outgoing side of an agent's stream.
class AgentSink {
 public:
  virtual ~AgentSink() = default;
  virtual void Send(v1::TrackerMessage message) = 0;
  // The last message was handled: the next may be read. So an agent never has more than one waiting.
  virtual void ReadNext() = 0;
  virtual void Close(const absl::Status& status) = 0;
};

class WatchSink {
 public:
  virtual ~WatchSink() = default;
  virtual void Send(uint64_t cursor, std::shared_ptr<const v1::TrialResult> result) = 0;
  virtual void Close(const absl::Status& status) = 0;
};

template <typename Response>
using ReplyTo = std::function<void(absl::StatusOr<Response>)>;

class TrackerLoop {
 public:
  struct Callbacks {
    std::function<void(const absl::Status&)> on_failure;  // once, when the store fails
    std::function<void(const PowerCycle&)> power_cycle;
  };
  // The store must not be started yet; both must outlive the loop.
  static absl::StatusOr<std::unique_ptr<TrackerLoop>> Start(const Settings& settings, absl::Duration tick, Store* store,
                                                            BlobStore* blobs, const common::Clock* clock,
                                                            Callbacks callbacks);
  // Stops.
  ~TrackerLoop();
  TrackerLoop(const TrackerLoop&) = delete;
  TrackerLoop& operator=(const TrackerLoop&) = delete;

  StreamId AddAgent(std::shared_ptr<AgentSink> sink);
  // A message that is malformed closes the stream.
  void OnMessage(StreamId stream, v1::AgentMessage message);
  void RemoveAgent(StreamId stream);

  WatcherId AddWatcher(const v1::WatchRequest& request, std::shared_ptr<WatchSink> sink);
  void RemoveWatcher(WatcherId watcher);

  void OpenJob(v1::OpenJobRequest request, ReplyTo<v1::OpenJobResponse> reply);
  void Submit(const v1::SubmitRequest& request, ReplyTo<v1::SubmitResponse> reply);
  void Acknowledge(v1::AcknowledgeRequest request, ReplyTo<v1::AcknowledgeResponse> reply);
  void CancelJob(v1::CancelJobRequest request, ReplyTo<v1::CancelJobResponse> reply);
  void ProbeDevice(v1::ProbeDeviceRequest request, ReplyTo<v1::ProbeDeviceResponse> reply);
  void ListDevices(ReplyTo<v1::ListDevicesResponse> reply);
  void ListJobs(ReplyTo<v1::ListJobsResponse> reply);

  // Ends every stream with UNAVAILABLE and takes in nothing new; calls under way are still answered. May be called
  // again.
  void Close();
  // Ends the thread and the store's.
  void Stop();

 private:
  TrackerLoop(const Settings& settings, const Snapshot& snapshot, absl::Duration tick, Store* store, BlobStore* blobs,
              const common::Clock* clock, Callbacks callbacks);

  // Posts `event`, with `reply` for its answer. `make` gives the event on the loop's thread.
  template <typename Response>
  void Call(ReplyTo<Response> reply, std::function<Event(CallId)> make);

  // On the loop's thread.
  void Handle(const Event& event);
  void OnDurable(const absl::StatusOr<uint64_t>& number);
  void Fail(const absl::Status& status);
  void CloseAll(const absl::Status& status);
  void RunPending();
  void Run(const Action& action);
  void Do(const SendToAgent& action);
  void Do(const CloseStream& action);
  void Do(const SendResult& action);
  void Do(const CloseWatch& action);
  void Do(const Reply& action);
  void Do(const ReleaseBlobs& action);
  void Do(const PowerCycle& action);

  Store* const store_;
  BlobStore* const blobs_;
  const common::Clock* const clock_;
  const Callbacks callbacks_;
  std::atomic<uint64_t> last_id_{0};

  // The loop thread's own.
  TrackerCore core_;
  uint64_t durable_ = 0;
  std::deque<Action> pending_;
  absl::Status closed_;  // not OK: serves nobody, and why
  bool failed_ = false;
  std::map<StreamId, std::shared_ptr<AgentSink>> agents_;
  std::map<WatcherId, std::shared_ptr<WatchSink>> watchers_;
  std::map<CallId, std::function<void(const Reply&)>> calls_;

  SerialExecutor executor_;  // last: its thread uses all the others
};

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TRACKER_SERVICE_TRACKER_LOOP_H_
