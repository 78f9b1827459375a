#include "tracker/service/client_service.h"

#include <memory>
#include <optional>
#include <utility>

#include "tracker/service/grpc_status.h"
#include "tracker/service/stream_gate.h"
#include "tracker/service/write_queue.h"

namespace tunefleet::tracker {
namespace {

// Answers a unary call: the response and the reactor live until Finish.
template <typename Response>
ReplyTo<Response> FinishWith(grpc::ServerUnaryReactor* reactor, Response* response) {
  return [reactor, response](absl::StatusOr<Response> answer) {
    if (answer.ok()) *response = *std::move(answer);
    reactor->Finish(ToGrpcStatus(answer.status()));
  };
}

// Keeps itself alive until gRPC is done with it, and the loop may hold it longer. What waits to be written is shared
// with the core, so that a slow reader costs a pointer for each result.
class WatchStream final : public grpc::ServerWriteReactor<v1::WatchResponse>,
                          public WatchSink,
                          public std::enable_shared_from_this<WatchStream> {
 public:
  explicit WatchStream(TrackerLoop* loop) : loop_(loop) {}

  void Register(const v1::WatchRequest& request) {
    self_ = shared_from_this();
    StartSendInitialMetadata();  // tells the client that the call was taken
    watcher_ = loop_->AddWatcher(request, self_);
  }

  // WatchSink.
  void Send(uint64_t cursor, std::shared_ptr<const v1::TrialResult> result) override {
    if (queue_.Push({cursor, std::move(result)})) WriteFirst();
  }
  void Close(const absl::Status& status) override { FinishIf(gate_.Close(status)); }

  // Reactor.
  void OnWriteDone(bool ok) override {
    const bool more = queue_.Pop();
    if (!ok) Close(absl::UnavailableError("the stream broke"));
    if (ok && more) WriteFirst();
    FinishIf(gate_.Leave());
  }
  void OnCancel() override { Close(absl::CancelledError("the client is gone")); }
  void OnDone() override {
    loop_->RemoveWatcher(watcher_);
    self_.reset();
  }

 private:
  // Only one write is under way, so only one thread is here at a time.
  void WriteFirst() {
    if (!gate_.Enter()) return;
    const auto& [cursor, result] = queue_.First();
    outgoing_.set_cursor(cursor);
    *outgoing_.mutable_result() = *result;
    StartWrite(&outgoing_);
  }
  void FinishIf(const std::optional<absl::Status>& status) {
    if (status.has_value()) Finish(ToGrpcStatus(*status));
  }

  TrackerLoop* const loop_;
  WatcherId watcher_ = 0;
  StreamGate gate_;
  v1::WatchResponse outgoing_;
  WriteQueue<std::pair<uint64_t, std::shared_ptr<const v1::TrialResult>>> queue_;
  std::shared_ptr<WatchStream> self_;
};

}  // namespace

grpc::ServerUnaryReactor* ClientServiceImpl::OpenJob(grpc::CallbackServerContext* context,
                                                     const v1::OpenJobRequest* request, v1::OpenJobResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  loop_->OpenJob(*request, FinishWith(reactor, response));
  return reactor;
}

grpc::ServerUnaryReactor* ClientServiceImpl::Submit(grpc::CallbackServerContext* context,
                                                    const v1::SubmitRequest* request, v1::SubmitResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  loop_->Submit(*request, FinishWith(reactor, response));
  return reactor;
}

grpc::ServerWriteReactor<v1::WatchResponse>* ClientServiceImpl::Watch(grpc::CallbackServerContext*,
                                                                      const v1::WatchRequest* request) {
  const auto stream = std::make_shared<WatchStream>(loop_);
  stream->Register(*request);
  return stream.get();
}

grpc::ServerUnaryReactor* ClientServiceImpl::Acknowledge(grpc::CallbackServerContext* context,
                                                         const v1::AcknowledgeRequest* request,
                                                         v1::AcknowledgeResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  loop_->Acknowledge(*request, FinishWith(reactor, response));
  return reactor;
}

grpc::ServerUnaryReactor* ClientServiceImpl::CancelJob(grpc::CallbackServerContext* context,
                                                       const v1::CancelJobRequest* request,
                                                       v1::CancelJobResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  loop_->CancelJob(*request, FinishWith(reactor, response));
  return reactor;
}

grpc::ServerUnaryReactor* ClientServiceImpl::ProbeDevice(grpc::CallbackServerContext* context,
                                                         const v1::ProbeDeviceRequest* request,
                                                         v1::ProbeDeviceResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  loop_->ProbeDevice(*request, FinishWith(reactor, response));
  return reactor;
}

grpc::ServerUnaryReactor* ClientServiceImpl::ListDevices(grpc::CallbackServerContext* context,
                                                         const v1::ListDevicesRequest*,
                                                         v1::ListDevicesResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  loop_->ListDevices(FinishWith(reactor, response));
  return reactor;
}

grpc::ServerUnaryReactor* ClientServiceImpl::ListJobs(grpc::CallbackServerContext* context, const v1::ListJobsRequest*,
                                                      v1::ListJobsResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  loop_->ListJobs(FinishWith(reactor, response));
  return reactor;
}

}  // namespace tunefleet::tracker
