#include "device_server/fleet/tracker_connection.h"

#include <grpcpp/grpcpp.h>

#include <memory>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/mutex.h"
#include "proto/fleet.grpc.pb.h"

namespace tunefleet::device {
namespace {

constexpr uint64_t kMaxBlobBytes = uint64_t{1} << 30;
// A download that takes longer in all is broken off and resumed.
constexpr absl::Duration kDownloadTimeout = absl::Minutes(2);

absl::Status ToAbsl(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

grpc::ChannelArguments ChannelArguments() {
  grpc::ChannelArguments arguments;
  // Loss is noticed within seconds, also where a NAT forgets the connection without a word.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 10'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // The agent paces its own attempts.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5'000);  // what one attempt may take: slow links, busy machines
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
  arguments.SetMaxReceiveMessageSize(4 << 20);
  return arguments;
}

// Lives from dial to OnDone. A write in flight and the read side each keep the call from being done.
class StreamReactor : public grpc::ClientBidiReactor<v1::AgentMessage, v1::TrackerMessage> {
 public:
  StreamReactor(v1::AgentService::Stub* stub, StreamHandler* handler) : handler_(handler) {
    stub->async()->Connect(&context_, this);
    AddHold();
    StartRead(&incoming_);
    StartCall();
  }

  // Sends the next message unless one is on its way.
  void Pump() {
    bool last = false;
    {
      const common::MutexLock lock(&mutex_);
      if (ended_ || writing_ || finished_) return;
      std::optional<v1::AgentMessage> message = handler_->NextToSend();
      last = !message && finishing_;
      if (!message && !last) return;
      if (message) outgoing_ = *std::move(message);
      finished_ = last;
      writing_ = true;
    }
    if (last) {
      StartWritesDone();
    } else {
      StartWrite(&outgoing_);
    }
  }

  void FinishSending() {
    {
      const common::MutexLock lock(&mutex_);
      finishing_ = true;
    }
    Pump();
  }

  void Cancel() { context_.TryCancel(); }

  // Waits for the end; false when the first message did not come in time.
  bool WaitForFirstMessage(absl::Duration timeout) {
    const common::MutexLock lock(&mutex_);
    const absl::Time deadline = absl::Now() + timeout;
    while (!received_ && !done_) {
      const absl::Duration left = deadline - absl::Now();
      if (left <= absl::ZeroDuration()) return false;
      changed_.WaitWithTimeout(&mutex_, left);
    }
    return true;
  }

  absl::Status WaitForEnd() {
    const common::MutexLock lock(&mutex_);
    while (!done_) changed_.Wait(&mutex_);
    return status_;
  }

  void OnReadDone(bool ok) override {
    bool idle = false;
    {
      const common::MutexLock lock(&mutex_);
      received_ |= ok;
      ended_ |= !ok;
      idle = !writing_;
      changed_.SignalAll();
    }
    if (ok) {
      handler_->OnMessage(incoming_);
      StartRead(&incoming_);
      Pump();
    } else if (idle) {
      RemoveHold();
    }
  }

  void OnWriteDone(bool) override { Written(); }
  void OnWritesDoneDone(bool) override { Written(); }

  void OnDone(const grpc::Status& status) override {
    const common::MutexLock lock(&mutex_);
    status_ = ToAbsl(status);
    done_ = true;
    changed_.SignalAll();
  }

 private:
  void Written() {
    bool ended = false;
    {
      const common::MutexLock lock(&mutex_);
      writing_ = false;
      ended = ended_;
    }
    if (ended) {
      RemoveHold();
    } else {
      Pump();
    }
  }

  StreamHandler* const handler_;
  grpc::ClientContext context_;
  v1::TrackerMessage incoming_;
  v1::AgentMessage outgoing_;
  common::Mutex mutex_;
  common::CondVar changed_;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finishing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;  // the last write was begun: none may follow
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;     // nothing more will be read: start no write
  bool received_ ABSL_GUARDED_BY(mutex_) = false;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

class DownloadReactor : public grpc::ClientReadReactor<v1::DownloadBlobResponse> {
 public:
  DownloadReactor(v1::BlobService::Stub* stub, const std::string& digest, std::string* bytes) : bytes_(bytes) {
    request_.set_digest(digest);
    request_.set_offset(bytes->size());
    context_.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(kDownloadTimeout));
    stub->async()->Download(&context_, &request_, this);
    StartRead(&response_);
    StartCall();
  }

  void Cancel() { context_.TryCancel(); }

  absl::Status WaitForEnd() {
    const common::MutexLock lock(&mutex_);
    while (!done_) changed_.Wait(&mutex_);
    return status_;
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    if (bytes_->size() + response_.data().size() > std::min(kMaxBlobBytes, response_.total_bytes())) {
      context_.TryCancel();
      oversized_ = true;
      return;
    }
    bytes_->append(response_.data());
    StartRead(&response_);
  }

  void OnDone(const grpc::Status& status) override {
    const common::MutexLock lock(&mutex_);
    status_ = oversized_ ? absl::OutOfRangeError("more bytes than the blob was said to have") : ToAbsl(status);
    done_ = true;
    changed_.SignalAll();
  }

 private:
  std::string* const bytes_;
  bool oversized_ = false;
  grpc::ClientContext context_;
  v1::DownloadBlobRequest request_;
  v1::DownloadBlobResponse response_;
  common::Mutex mutex_;
  common::CondVar changed_;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::Status CheckTrackerAddress(absl::string_view address) {
  const auto wrong = [&](absl::string_view why) {
    return absl::InvalidArgumentError(
        absl::StrCat("--tracker=", address, ": ", why, "; expected HOST:PORT or unix:PATH"));
  };
  absl::string_view rest = address;
  if (absl::ConsumePrefix(&rest, "unix:")) {
    if (rest.empty()) return wrong("no path");
    return rest.size() > 107 ? wrong("the path is longer than 107 bytes") : absl::OkStatus();
  }
  const size_t colon = address.rfind(':');
  if (colon == absl::string_view::npos || colon == 0) return wrong("no host or no port");
  const absl::string_view host = address.substr(0, colon);
  if (host.find_first_of("/ \t\n") != absl::string_view::npos) return wrong("not a host name");
  if (host.find(':') != absl::string_view::npos && (host.front() != '[' || host.back() != ']')) {
    return wrong("an IPv6 address needs brackets");
  }
  int port = 0;
  if (!absl::SimpleAtoi(address.substr(colon + 1), &port) || port < 1 || port > 65535) {
    return wrong("the port is no number from 1 to 65535");
  }
  return absl::OkStatus();
}

struct TrackerConnection::Impl {
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::AgentService::Stub> agent;
  std::unique_ptr<v1::BlobService::Stub> blobs;
  common::Mutex mutex;
  bool cancelled ABSL_GUARDED_BY(mutex) = false;
  // Shared with the thread that waits for their end, so that Wake and Cancel never meet a dead one.
  std::shared_ptr<StreamReactor> stream ABSL_GUARDED_BY(mutex);
  std::shared_ptr<DownloadReactor> download ABSL_GUARDED_BY(mutex);
};

TrackerConnection::TrackerConnection(const std::string& address) : impl_(std::make_unique<Impl>()) {
  impl_->channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), ChannelArguments());
  impl_->agent = v1::AgentService::NewStub(impl_->channel);
  impl_->blobs = v1::BlobService::NewStub(impl_->channel);
}

TrackerConnection::~TrackerConnection() = default;

absl::Status TrackerConnection::Stream(StreamHandler* handler, absl::Duration first_message_timeout) {
  const auto stream = std::make_shared<StreamReactor>(impl_->agent.get(), handler);
  bool cancelled = false;
  {
    const common::MutexLock lock(&impl_->mutex);
    impl_->stream = stream;
    cancelled = impl_->cancelled;
  }
  if (cancelled) stream->Cancel();
  stream->Pump();
  const bool answered = stream->WaitForFirstMessage(first_message_timeout);
  if (!answered) stream->Cancel();
  const absl::Status status = stream->WaitForEnd();
  {
    const common::MutexLock lock(&impl_->mutex);
    impl_->stream = nullptr;
  }
  return answered ? status : absl::DeadlineExceededError("the tracker did not answer");
}

void TrackerConnection::Wake() {
  std::shared_ptr<StreamReactor> stream;
  {
    const common::MutexLock lock(&impl_->mutex);
    stream = impl_->stream;
  }
  if (stream) stream->Pump();
}

void TrackerConnection::FinishSending() {
  std::shared_ptr<StreamReactor> stream;
  {
    const common::MutexLock lock(&impl_->mutex);
    stream = impl_->stream;
  }
  if (stream) stream->FinishSending();
}

void TrackerConnection::Cancel() {
  std::shared_ptr<StreamReactor> stream;
  std::shared_ptr<DownloadReactor> download;
  {
    const common::MutexLock lock(&impl_->mutex);
    impl_->cancelled = true;
    stream = impl_->stream;
    download = impl_->download;
  }
  if (stream) stream->Cancel();
  if (download) download->Cancel();
}

absl::Status TrackerConnection::Download(const std::string& digest, std::string* bytes) {
  std::shared_ptr<DownloadReactor> download;
  {
    const common::MutexLock lock(&impl_->mutex);
    if (impl_->cancelled) return absl::CancelledError("the connection is closed");
  }
  download = std::make_shared<DownloadReactor>(impl_->blobs.get(), digest, bytes);
  bool cancelled = false;
  {
    const common::MutexLock lock(&impl_->mutex);
    impl_->download = download;
    cancelled = impl_->cancelled;
  }
  if (cancelled) download->Cancel();
  const absl::Status status = download->WaitForEnd();
  const common::MutexLock lock(&impl_->mutex);
  impl_->download = nullptr;
  return status;
}

}  // namespace tunefleet::device
