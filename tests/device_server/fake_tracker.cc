#include "tests/device_server/fake_tracker.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <deque>

#include "common/mutex.h"
#include "proto/fleet.grpc.pb.h"

namespace tunefleet::device {
namespace {

using AgentStream = grpc::ServerReaderWriter<v1::TrackerMessage, v1::AgentMessage>;

constexpr size_t kChunk = 1000;

}  // namespace

struct FakeTracker::Impl : public v1::AgentService::Service, public v1::BlobService::Service {
  grpc::Status Connect(grpc::ServerContext* context, AgentStream* stream) override {
    {
      const common::MutexLock lock(&mutex);
      ++streams;
      open_context = context;
      open_stream = stream;
    }
    v1::AgentMessage message;
    while (stream->Read(&message)) {
      const bool held = message.has_hello() && WelcomesAreHeld();
      if (held) {
        Keep(message);
        while (WelcomesAreHeld() && !context->IsCancelled()) absl::SleepFor(absl::Milliseconds(1));
      }
      if (message.has_hello()) {
        v1::TrackerMessage welcome;
        welcome.mutable_welcome()->set_protocol(1);
        stream->Write(welcome);
      }
      if (!held) Keep(message);
    }
    while (FarewellsAreHeld() && !context->IsCancelled()) absl::SleepFor(absl::Milliseconds(1));
    const common::MutexLock lock(&mutex);
    if (open_stream == stream) {  // or the agent has come again already
      open_context = nullptr;
      open_stream = nullptr;
    }
    changed.SignalAll();
    return grpc::Status::OK;
  }

  void Keep(const v1::AgentMessage& message) {
    const common::MutexLock lock(&mutex);
    received.push_back(message);
    changed.SignalAll();
  }

  bool WelcomesAreHeld() {
    const common::MutexLock lock(&mutex);
    return hold_welcomes;
  }

  bool FarewellsAreHeld() {
    const common::MutexLock lock(&mutex);
    return hold_farewells;
  }

  grpc::Status Download(grpc::ServerContext*, const v1::DownloadBlobRequest* request,
                        grpc::ServerWriter<v1::DownloadBlobResponse>* writer) override {
    const absl::StatusOr<Blob> blob = blobs->Get(request->digest());
    if (!blob.ok()) return {grpc::StatusCode::NOT_FOUND, "no such blob"};
    for (size_t at = request->offset(); at < (*blob)->size(); at += kChunk) {
      v1::DownloadBlobResponse response;
      response.set_total_bytes((*blob)->size());
      response.set_data((*blob)->substr(at, kChunk));
      writer->Write(response);
      const common::MutexLock lock(&mutex);
      if (breaks > 0) {
        --breaks;
        return {grpc::StatusCode::UNAVAILABLE, "broken on purpose"};
      }
    }
    return grpc::Status::OK;
  }

  common::Mutex mutex;
  common::CondVar changed;
  const TestBlobs* blobs = nullptr;
  std::deque<v1::AgentMessage> received;
  grpc::ServerContext* open_context = nullptr;
  AgentStream* open_stream = nullptr;
  int streams = 0;  // so many were opened
  int breaks = 0;
  bool hold_welcomes = false;
  bool hold_farewells = false;
  std::unique_ptr<grpc::Server> server;
};

FakeTracker::FakeTracker(const std::string& address, const TestBlobs* blobs, absl::Duration patience)
    : patience_(patience), impl_(std::make_unique<Impl>()) {
  impl_->blobs = blobs;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.RegisterService(static_cast<v1::AgentService::Service*>(impl_.get()));
  builder.RegisterService(static_cast<v1::BlobService::Service*>(impl_.get()));
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 500);  // as the tracker's
  impl_->server = builder.BuildAndStart();
}

FakeTracker::~FakeTracker() {
  BreakStream();
  impl_->server->Shutdown(std::chrono::system_clock::now());
}

v1::AgentMessage FakeTracker::Receive() {
  const absl::Time until = absl::Now() + patience_;
  const common::MutexLock lock(&impl_->mutex);
  while (impl_->received.empty()) {
    if (absl::Now() > until) {
      ADD_FAILURE() << "the agent said nothing";
      return {};
    }
    impl_->changed.WaitWithTimeout(&impl_->mutex, until - absl::Now());
  }
  v1::AgentMessage message = impl_->received.front();
  impl_->received.pop_front();
  return message;
}

v1::AgentMessage FakeTracker::ReceiveOf(v1::AgentMessage::MessageCase kind) {
  while (true) {
    v1::AgentMessage message = Receive();
    if (message.message_case() == kind || message.message_case() == v1::AgentMessage::MESSAGE_NOT_SET) return message;
  }
}

void FakeTracker::Send(const v1::TrackerMessage& message) {
  const common::MutexLock lock(&impl_->mutex);
  if (impl_->open_stream != nullptr) impl_->open_stream->Write(message);
}

void FakeTracker::Assign(const v1::Trial& trial, uint64_t counter, const std::string& device_id) {
  v1::TrackerMessage message;
  v1::Assign& assign = *message.mutable_assign();
  assign.mutable_lease()->set_trial_id(trial.trial_id());
  assign.mutable_lease()->set_device_id(device_id);
  assign.mutable_lease()->mutable_fence()->set_epoch(1);
  assign.mutable_lease()->mutable_fence()->set_counter(counter);
  *assign.mutable_trial() = trial;
  assign.mutable_deadline()->set_seconds(60);
  Send(message);
}

void FakeTracker::Acknowledge(const v1::Lease& lease) {
  v1::TrackerMessage message;
  *message.mutable_ack()->mutable_lease() = lease;
  message.mutable_ack()->set_acknowledgement(v1::ACKNOWLEDGEMENT_RECORDED);
  Send(message);
}

void FakeTracker::HoldWelcomes(bool held) {
  const common::MutexLock lock(&impl_->mutex);
  impl_->hold_welcomes = held;
}

void FakeTracker::HoldFarewells(bool held) {
  const common::MutexLock lock(&impl_->mutex);
  impl_->hold_farewells = held;
}

void FakeTracker::BreakStream() {
  const common::MutexLock lock(&impl_->mutex);
  const int broken = impl_->streams;
  if (impl_->open_context != nullptr) impl_->open_context->TryCancel();
  while (impl_->open_context != nullptr && impl_->streams == broken) impl_->changed.Wait(&impl_->mutex);
}

void FakeTracker::BreakDownloads(int times) {
  const common::MutexLock lock(&impl_->mutex);
  impl_->breaks = times;
}

bool FakeTracker::StreamIsOpen() {
  const common::MutexLock lock(&impl_->mutex);
  return impl_->open_context != nullptr;
}

}  // namespace tunefleet::device
