#include "tuner/fleet/tracker_runner.h"

#include <grpcpp/client_context.h>

#include <algorithm>
#include <deque>
#include <set>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/clock.h"
#include "common/digest.h"
#include "common/mutex.h"
#include "common/proto_time.h"
#include "common/status_macros.h"
#include "common/transient.h"
#include "proto/fleet.grpc.pb.h"
#include "tuner/fleet/blob_cache.h"
#include "tuner/fleet/busy_meter.h"
#include "tuner/fleet/channel.h"

namespace tunefleet::tuner {
namespace {

constexpr size_t kBlobCacheBytes = 256 << 20;
constexpr size_t kUploadChunkBytes = 256 << 10;
constexpr double kSlowestUploadBytesPerSecond = 100e3;
constexpr size_t kResultsAhead = 256;                       // read from the stream before they are asked for
constexpr absl::Duration kWatchRenewal = absl::Minutes(1);  // even a stream has a deadline
constexpr absl::Duration kFirstPause = absl::Milliseconds(50);
constexpr absl::Duration kLongestPause = absl::Seconds(2);
constexpr absl::Duration kBusyAge = absl::Milliseconds(500);

class TrackerRunner final : public Runner {
 public:
  explicit TrackerRunner(const TrackerRunnerOptions& options)
      : options_(options),
        channel_(MakeTrackerChannel(options.address)),
        tracker_(v1::TrackerService::NewStub(channel_)),
        blobs_(v1::BlobService::NewStub(channel_)),
        busy_(options.device_class) {}

  ~TrackerRunner() override {
    Close();
    if (watcher_.joinable()) watcher_.join();
  }

  absl::Status Start() {
    TF_ASSIGN_OR_RETURN(const uint64_t acknowledged, OpenJob());
    TF_ASSIGN_OR_RETURN(const uint64_t last, LastResult());
    {
      common::MutexLock lock(&mutex_);
      received_ = delivered_ = acknowledged_ = acknowledged;
      backlog_ = last;
    }
    DeviceBusy();
    watcher_ = std::thread([this] { WatchResults(); });
    return absl::OkStatus();
  }

  absl::Status Provide(const std::string& digest, const std::string& bytes) override {
    auto shared = std::make_shared<const std::string>(bytes);
    {
      common::MutexLock lock(&mutex_);
      cache_.Put(digest, shared);
    }
    return Upload(digest, *shared);
  }

  absl::Status Submit(const v1::Trial& trial) override;
  absl::StatusOr<std::optional<FinishedTrial>> Next(absl::Duration timeout) override;
  absl::Status Acknowledge(uint64_t cursor) override;
  bool HasBacklog() override {
    common::MutexLock lock(&mutex_);
    return delivered_ < backlog_;
  }
  double DeviceBusy() override;

  void Close() override {
    common::MutexLock lock(&mutex_);
    closed_ = true;
    for (grpc::ClientContext* context : active_) context->TryCancel();
    changed_.SignalAll();
  }

 private:
  // A call under way: has a deadline and is cancelled by Close.
  class Call {
   public:
    Call(TrackerRunner* runner, absl::Duration timeout) : runner_(runner) {
      context_.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
      common::MutexLock lock(&runner_->mutex_);
      runner_->active_.insert(&context_);
      if (runner_->closed_) context_.TryCancel();
    }
    ~Call() {
      common::MutexLock lock(&runner_->mutex_);
      runner_->active_.erase(&context_);
    }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    grpc::ClientContext* context() { return &context_; }

   private:
    TrackerRunner* const runner_;
    grpc::ClientContext context_;
  };

  // Repeats `attempt` while it fails transiently, with growing pauses, until the patience ends.
  template <typename Attempt>
  absl::Status Persist(const char* what, absl::Duration patience, const Attempt& attempt);
  // False when the runner closed meanwhile.
  bool Pause(absl::Duration pause);
  absl::Status Closed() { return absl::CancelledError("the runner was closed"); }

  absl::StatusOr<uint64_t> OpenJob();
  absl::StatusOr<uint64_t> LastResult();
  absl::Status Upload(const std::string& digest, const std::string& bytes);
  absl::Status UploadOnce(const std::string& digest, const std::string& bytes);
  void WatchResults();
  absl::Status WatchOnce();
  absl::Status Forgotten() const;

  const TrackerRunnerOptions options_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::TrackerService::Stub> tracker_;
  const std::unique_ptr<v1::BlobService::Stub> blobs_;

  common::Mutex mutex_;
  common::CondVar changed_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::set<grpc::ClientContext*> active_ ABSL_GUARDED_BY(mutex_);
  BlobCache cache_ ABSL_GUARDED_BY(mutex_){kBlobCacheBytes};
  std::deque<FinishedTrial> results_ ABSL_GUARDED_BY(mutex_);
  uint64_t received_ ABSL_GUARDED_BY(mutex_) = 0;   // cursor of the last result taken from the stream
  uint64_t delivered_ ABSL_GUARDED_BY(mutex_) = 0;  // cursor of the last result that Next gave
  uint64_t acknowledged_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t backlog_ ABSL_GUARDED_BY(mutex_) = 0;      // cursor of the last result that was there at the start
  absl::Status watch_error_ ABSL_GUARDED_BY(mutex_);  // the stream is given up
  BusyMeter busy_ ABSL_GUARDED_BY(mutex_);
  absl::Time busy_looked_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  std::thread watcher_;
};

bool TrackerRunner::Pause(absl::Duration pause) {
  const absl::Time end = common::MonotonicClock().Now() + pause;
  common::MutexLock lock(&mutex_);
  while (!closed_) {
    const absl::Duration left = end - common::MonotonicClock().Now();
    if (left <= absl::ZeroDuration()) return true;
    changed_.WaitWithTimeout(&mutex_, left);
  }
  return false;
}

template <typename Attempt>
absl::Status TrackerRunner::Persist(const char* what, absl::Duration patience, const Attempt& attempt) {
  const absl::Time end = common::MonotonicClock().Now() + patience;
  for (absl::Duration pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
    const absl::Status status = attempt();
    if (status.ok()) return status;
    {
      common::MutexLock lock(&mutex_);
      if (closed_) return Closed();
    }
    if (!common::IsTransient(status)) {
      return absl::Status(status.code(), absl::StrCat(what, " at tracker ", options_.address, ": ", status.message()));
    }
    if (common::MonotonicClock().Now() + pause > end) {
      return absl::UnavailableError(absl::StrCat("tracker ", options_.address, " does not answer (", what, ": ",
                                                 status.message(), "), tried for ", absl::FormatDuration(patience)));
    }
    if (!Pause(pause)) return Closed();
  }
}

// Gives the cursor of the last acknowledged result.
absl::StatusOr<uint64_t> TrackerRunner::OpenJob() {
  v1::OpenJobRequest request;
  request.set_job_id(options_.job_id);
  request.set_tenant(options_.tenant);
  request.set_priority(options_.priority);
  request.mutable_labels()->insert(options_.labels.begin(), options_.labels.end());
  *request.mutable_expire_after() = common::DurationToProto(options_.expire_after);
  v1::OpenJobResponse response;
  TF_RETURN_IF_ERROR(Persist("open job", options_.first_patience, [&] {
    Call call(this, std::min(options_.call_timeout, options_.first_patience));
    return FromGrpcStatus(tracker_->OpenJob(call.context(), request, &response));
  }));
  return response.acknowledged();
}

// Cursor of the last result so far, acknowledged or not.
absl::StatusOr<uint64_t> TrackerRunner::LastResult() {
  v1::ListJobsResponse response;
  TF_RETURN_IF_ERROR(Persist("list jobs", options_.patience, [&] {
    Call call(this, options_.call_timeout);
    return FromGrpcStatus(tracker_->ListJobs(call.context(), v1::ListJobsRequest(), &response));
  }));
  const auto job = std::find_if(response.jobs().begin(), response.jobs().end(),
                                [this](const v1::JobStatus& status) { return status.job_id() == options_.job_id; });
  return job == response.jobs().end() ? 0 : job->finished();
}

// The job was opened, so a tracker that does not know it has lost its state, and with it the trials in flight and the
// results that were not acknowledged: waiting for them would never end.
absl::Status TrackerRunner::Forgotten() const {
  return absl::FailedPreconditionError(absl::StrCat(
      "job ", options_.job_id, " is forgotten (was the tracker's state removed?); run the same command again"));
}

absl::Status TrackerRunner::UploadOnce(const std::string& digest, const std::string& bytes) {
  v1::BlobStatusRequest query;
  query.set_digest(digest);
  v1::BlobStatusResponse held;
  {
    Call call(this, options_.call_timeout);
    TF_RETURN_IF_ERROR(FromGrpcStatus(blobs_->Status(call.context(), query, &held)));
  }
  if (held.complete()) return absl::OkStatus();
  Call call(this, options_.call_timeout + absl::Seconds(bytes.size() / kSlowestUploadBytesPerSecond));
  v1::UploadBlobResponse response;
  const auto writer = blobs_->Upload(call.context(), &response);
  size_t offset = std::min<size_t>(held.size_bytes(), bytes.size());
  v1::UploadBlobRequest chunk;
  chunk.set_digest(digest);
  chunk.set_total_bytes(bytes.size());
  do {
    const size_t size = std::min(kUploadChunkBytes, bytes.size() - offset);
    chunk.set_offset(offset);
    chunk.set_data(bytes.substr(offset, size));
    if (!writer->Write(chunk)) break;  // Finish says why
    offset += size;
    chunk.Clear();
  } while (offset < bytes.size());
  writer->WritesDone();
  return FromGrpcStatus(writer->Finish());
}

absl::Status TrackerRunner::Upload(const std::string& digest, const std::string& bytes) {
  // Another client may upload the same blob at the same time: its offset moves under ours, and we look again.
  int refusals = 0;
  return Persist("upload blob", options_.patience, [&] {
    absl::Status status = UploadOnce(digest, bytes);
    const bool again = absl::IsInvalidArgument(status) || absl::IsDataLoss(status);
    return again && ++refusals < 5 ? absl::AbortedError(status.message()) : status;
  });
}

absl::Status TrackerRunner::Submit(const v1::Trial& trial) {
  v1::SubmitRequest request;
  request.set_job_id(options_.job_id);
  *request.add_trials() = trial;
  for (;;) {
    v1::SubmitResponse response;
    TF_RETURN_IF_ERROR(Persist("submit", options_.patience, [&] {
      response.Clear();
      absl::Status status;
      {
        Call call(this, options_.call_timeout);
        status = FromGrpcStatus(tracker_->Submit(call.context(), request, &response));
      }
      return absl::IsNotFound(status) ? Forgotten() : status;
    }));
    if (response.accepted_size() > 0) return absl::OkStatus();
    if (response.missing().empty()) {
      return absl::InternalError(
          absl::StrCat("tracker ", options_.address, " neither accepted trial ", trial.trial_id(), " nor said why"));
    }
    for (const std::string& digest : response.missing()) {
      std::shared_ptr<const std::string> bytes;
      {
        common::MutexLock lock(&mutex_);
        bytes = cache_.Get(digest);
      }
      if (bytes == nullptr) {
        return absl::InvalidArgumentError(absl::StrCat("trial ", trial.trial_id(), " names blob ",
                                                       common::HexDigest(digest), ", which was never provided"));
      }
      TF_RETURN_IF_ERROR(Upload(digest, *bytes));
    }
  }
}

absl::StatusOr<std::optional<FinishedTrial>> TrackerRunner::Next(absl::Duration timeout) {
  const absl::Time end = common::MonotonicClock().Now() + timeout;
  common::MutexLock lock(&mutex_);
  while (results_.empty()) {
    if (closed_) return Closed();
    if (!watch_error_.ok()) return watch_error_;
    const absl::Duration left = end - common::MonotonicClock().Now();
    if (left <= absl::ZeroDuration()) return std::optional<FinishedTrial>();
    changed_.WaitWithTimeout(&mutex_, left);
  }
  std::optional<FinishedTrial> first = std::move(results_.front());
  results_.pop_front();
  delivered_ = first->cursor;
  changed_.SignalAll();
  return first;
}

absl::Status TrackerRunner::Acknowledge(uint64_t cursor) {
  {
    common::MutexLock lock(&mutex_);
    if (cursor <= acknowledged_) return absl::OkStatus();
  }
  v1::AcknowledgeRequest request;
  request.set_job_id(options_.job_id);
  request.set_cursor(cursor);
  TF_RETURN_IF_ERROR(Persist("acknowledge", options_.patience, [&] {
    Call call(this, options_.call_timeout);
    v1::AcknowledgeResponse response;
    const absl::Status status = FromGrpcStatus(tracker_->Acknowledge(call.context(), request, &response));
    return absl::IsNotFound(status) ? Forgotten() : status;
  }));
  common::MutexLock lock(&mutex_);
  acknowledged_ = std::max(acknowledged_, cursor);
  return absl::OkStatus();
}

double TrackerRunner::DeviceBusy() {
  {
    common::MutexLock lock(&mutex_);
    const absl::Time now = common::MonotonicClock().Now();
    if (now - busy_looked_ < kBusyAge) return busy_.Share();
    busy_looked_ = now;
  }
  v1::ListDevicesResponse devices;
  bool answered = false;
  {
    Call call(this, absl::Seconds(1));
    answered = tracker_->ListDevices(call.context(), v1::ListDevicesRequest(), &devices).ok();
  }
  common::MutexLock lock(&mutex_);
  if (answered) busy_.Look(devices);
  return busy_.Share();
}

void TrackerRunner::WatchResults() {
  for (;;) {
    // A stream that ran for a while and ended is simply opened again; Persist counts from its end.
    absl::Status status = Persist("watch", options_.patience, [this]() -> absl::Status {
      const absl::Status ended = WatchOnce();
      return absl::IsNotFound(ended) ? Forgotten() : ended;
    });
    common::MutexLock lock(&mutex_);
    if (closed_) return;
    if (status.ok()) continue;
    watch_error_ = status;
    changed_.SignalAll();
    return;
  }
}

// OK when the tracker answered and the stream ended later on.
absl::Status TrackerRunner::WatchOnce() {
  Call call(this, kWatchRenewal);
  v1::WatchRequest request;
  request.set_job_id(options_.job_id);
  {
    common::MutexLock lock(&mutex_);
    request.set_after(received_);
  }
  const auto reader = tracker_->Watch(call.context(), request);
  v1::WatchResponse response;
  bool answered = false;
  while (reader->Read(&response)) {
    answered = true;
    common::MutexLock lock(&mutex_);
    while (results_.size() >= kResultsAhead && !closed_) changed_.Wait(&mutex_);
    if (closed_ || response.cursor() <= received_) continue;
    received_ = response.cursor();
    results_.push_back({response.cursor(), std::move(*response.mutable_result())});
    changed_.SignalAll();
  }
  const absl::Status status = FromGrpcStatus(reader->Finish());
  return answered || absl::IsDeadlineExceeded(status) ? absl::OkStatus() : status;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Runner>> ConnectTrackerRunner(const TrackerRunnerOptions& options) {
  TF_RETURN_IF_ERROR(CheckTrackerAddress(options.address));
  auto runner = std::make_unique<TrackerRunner>(options);
  TF_RETURN_IF_ERROR(runner->Start());
  return runner;
}

}  // namespace tunefleet::tuner
