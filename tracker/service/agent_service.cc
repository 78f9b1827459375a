#include "tracker/service/agent_service.h"

#include <memory>
#include <optional>
#include <utility>

#include "tracker/service/grpc_status.h"
#include "tracker/service/stream_gate.h"
#include "tracker/service/write_queue.h"

namespace tunefleet::tracker {
namespace {

// More than the core ever has under way for one agent: beyond it the agent does not read.
constexpr size_t kMaxQueuedMessages = 4096;

// Keeps itself alive until gRPC is done with it, and the loop may hold it longer.
class AgentStream final : public grpc::ServerBidiReactor<v1::AgentMessage, v1::TrackerMessage>,
                          public AgentSink,
                          public std::enable_shared_from_this<AgentStream> {
 public:
  explicit AgentStream(TrackerLoop* loop) : loop_(loop) {}

  void Register() {
    self_ = shared_from_this();
    stream_ = loop_->AddAgent(self_);
  }

  // AgentSink.
  void Send(v1::TrackerMessage message) override {
    if (queue_.Push(std::move(message))) WriteFirst();
    if (queue_.size() > kMaxQueuedMessages) {
      Close(absl::ResourceExhaustedError("the agent does not read its messages"));
    }
  }
  void ReadNext() override {
    if (!gate_.Enter()) return;
    StartRead(&incoming_);
    FinishIf(gate_.Leave());
  }
  void Close(const absl::Status& status) override { FinishIf(gate_.Close(status)); }

  // Reactor.
  void OnReadDone(bool ok) override {
    if (!ok) return Close(absl::OkStatus());  // the agent closed its side, or is gone
    loop_->OnMessage(stream_, std::move(incoming_));
  }
  void OnWriteDone(bool ok) override {
    const bool more = queue_.Pop();
    if (!ok) Close(absl::UnavailableError("the stream broke"));
    if (ok && more) WriteFirst();
    FinishIf(gate_.Leave());
  }
  void OnCancel() override { Close(absl::CancelledError("the agent is gone")); }
  void OnDone() override {
    loop_->RemoveAgent(stream_);
    self_.reset();
  }

 private:
  void WriteFirst() {
    if (gate_.Enter()) StartWrite(&queue_.First());
  }
  void FinishIf(const std::optional<absl::Status>& status) {
    if (status.has_value()) Finish(ToGrpcStatus(*status));
  }

  TrackerLoop* const loop_;
  StreamId stream_ = 0;
  StreamGate gate_;
  v1::AgentMessage incoming_;
  WriteQueue<v1::TrackerMessage> queue_;
  std::shared_ptr<AgentStream> self_;
};

}  // namespace

grpc::ServerBidiReactor<v1::AgentMessage, v1::TrackerMessage>* AgentServiceImpl::Connect(grpc::CallbackServerContext*) {
  const auto stream = std::make_shared<AgentStream>(loop_);
  stream->Register();
  return stream.get();
}

}  // namespace tunefleet::tracker
