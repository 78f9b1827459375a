// The runner against a small tracker in this process that can be taken away, forgets blobs and breaks its streams.
#include "tuner/fleet/tracker_runner.h"

#include <gmock/gmock.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/mutex.h"
#include "proto/fleet.grpc.pb.h"
#include "tests/support/temp_dir.h"
#include "tuner/fleet/tracker_client.h"

namespace tunefleet::tuner {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// What survives a restart of the tracker.
struct State {
  common::Mutex mutex;
  common::CondVar changed;
  std::set<std::string> jobs ABSL_GUARDED_BY(mutex);
  std::map<std::string, std::string> blobs ABSL_GUARDED_BY(mutex);
  std::vector<std::string> trials ABSL_GUARDED_BY(mutex);  // accepted, repeats included
  std::vector<v1::WatchResponse> results ABSL_GUARDED_BY(mutex);
  uint64_t acknowledged ABSL_GUARDED_BY(mutex) = 0;
  int results_per_stream ABSL_GUARDED_BY(mutex) = 1000;
  bool repeat_last ABSL_GUARDED_BY(mutex) = false;  // every stream begins one result too early
  std::vector<uint64_t> upload_offsets ABSL_GUARDED_BY(mutex);
  int uploads_to_break ABSL_GUARDED_BY(mutex) = 0;
  bool stopping ABSL_GUARDED_BY(mutex) = false;
};

class SmallTracker final : public v1::TrackerService::Service {
 public:
  explicit SmallTracker(State* state) : state_(*state) {}

  grpc::Status OpenJob(grpc::ServerContext*, const v1::OpenJobRequest* request, v1::OpenJobResponse* reply) override {
    common::MutexLock lock(&state_.mutex);
    state_.jobs.insert(request->job_id());
    reply->set_acknowledged(state_.acknowledged);
    return grpc::Status::OK;
  }
  grpc::Status Submit(grpc::ServerContext*, const v1::SubmitRequest* request, v1::SubmitResponse* reply) override {
    common::MutexLock lock(&state_.mutex);
    if (state_.jobs.count(request->job_id()) == 0) return {grpc::StatusCode::NOT_FOUND, "no such job"};
    for (const v1::Trial& trial : request->trials()) {
      if (trial.trial_id() == "malformed") return {grpc::StatusCode::INVALID_ARGUMENT, "not a trial"};
      std::set<std::string> missing;
      for (const v1::Kernel& kernel : trial.kernels()) {
        if (state_.blobs.count(kernel.manifest().code_digest()) == 0) missing.insert(kernel.manifest().code_digest());
      }
      for (const std::string& digest : missing) reply->add_missing(digest);
      if (!missing.empty()) continue;
      reply->add_accepted(trial.trial_id());
      state_.trials.push_back(trial.trial_id());
    }
    return grpc::Status::OK;
  }
  grpc::Status Watch(grpc::ServerContext* context, const v1::WatchRequest* request,
                     grpc::ServerWriter<v1::WatchResponse>* writer) override {
    uint64_t next = request->after();
    int left;
    {
      common::MutexLock lock(&state_.mutex);
      if (state_.jobs.count(request->job_id()) == 0) return {grpc::StatusCode::NOT_FOUND, "no such job"};
      if (state_.repeat_last && next > 0) --next;
      left = state_.results_per_stream;
    }
    while (left > 0) {
      v1::WatchResponse result;
      {
        common::MutexLock lock(&state_.mutex);
        while (next >= state_.results.size() && !state_.stopping && !context->IsCancelled()) {
          state_.changed.WaitWithTimeout(&state_.mutex, absl::Milliseconds(10));
        }
        if (state_.stopping || context->IsCancelled()) return {grpc::StatusCode::UNAVAILABLE, "shutting down"};
        result = state_.results[next++];
      }
      writer->Write(result);
      --left;
    }
    return {grpc::StatusCode::UNAVAILABLE, "the stream broke"};
  }
  grpc::Status Acknowledge(grpc::ServerContext*, const v1::AcknowledgeRequest* request,
                           v1::AcknowledgeResponse*) override {
    common::MutexLock lock(&state_.mutex);
    state_.acknowledged = std::max(state_.acknowledged, request->cursor());
    return grpc::Status::OK;
  }
  grpc::Status ListJobs(grpc::ServerContext*, const v1::ListJobsRequest*, v1::ListJobsResponse* reply) override {
    common::MutexLock lock(&state_.mutex);
    for (const std::string& job : state_.jobs) {
      v1::JobStatus* status = reply->add_jobs();
      status->set_job_id(job);
      status->set_finished(state_.results.size());
      status->set_acknowledged(state_.acknowledged);
    }
    return grpc::Status::OK;
  }
  grpc::Status ListDevices(grpc::ServerContext*, const v1::ListDevicesRequest*,
                           v1::ListDevicesResponse* reply) override {
    reply->add_devices()->mutable_device()->set_device_id("d1");
    return grpc::Status::OK;
  }

 private:
  State& state_;
};

class SmallBlobs final : public v1::BlobService::Service {
 public:
  explicit SmallBlobs(State* state) : state_(*state) {}

  grpc::Status Status(grpc::ServerContext*, const v1::BlobStatusRequest* request,
                      v1::BlobStatusResponse* reply) override {
    common::MutexLock lock(&state_.mutex);
    const auto whole = state_.blobs.find(request->digest());
    reply->set_complete(whole != state_.blobs.end());
    reply->set_size_bytes(reply->complete() ? whole->second.size() : partial_[request->digest()].size());
    return grpc::Status::OK;
  }
  grpc::Status Upload(grpc::ServerContext*, grpc::ServerReader<v1::UploadBlobRequest>* reader,
                      v1::UploadBlobResponse*) override {
    v1::UploadBlobRequest request;
    std::string digest;
    uint64_t total = 0;
    while (reader->Read(&request)) {
      common::MutexLock lock(&state_.mutex);
      if (digest.empty()) {
        digest = request.digest();
        total = request.total_bytes();
        state_.upload_offsets.push_back(request.offset());
      }
      std::string& bytes = partial_[digest];
      if (request.offset() != bytes.size()) return {grpc::StatusCode::INVALID_ARGUMENT, "offset"};
      bytes += request.data();
      if (state_.uploads_to_break > 0) {
        --state_.uploads_to_break;
        return {grpc::StatusCode::UNAVAILABLE, "the network broke"};
      }
    }
    common::MutexLock lock(&state_.mutex);
    if (partial_[digest].size() != total || common::Sha256(partial_[digest]) != digest) {
      return {grpc::StatusCode::DATA_LOSS, "digest"};
    }
    state_.blobs[digest] = std::move(partial_[digest]);
    partial_.erase(digest);
    return grpc::Status::OK;
  }

 private:
  State& state_;
  std::map<std::string, std::string> partial_;
};

class TrackerRunnerTest : public ::testing::Test {
 protected:
  void SetUp() override { StartTracker(); }
  void TearDown() override { StopTracker(); }

  std::string Address() const { return absl::StrCat("unix:", folder_ / "socket"); }

  void StartTracker() {
    {
      common::MutexLock lock(&state_.mutex);
      state_.stopping = false;
    }
    services_ = std::make_pair(std::make_unique<SmallTracker>(&state_), std::make_unique<SmallBlobs>(&state_));
    grpc::ServerBuilder builder;
    builder.AddListeningPort(Address(), grpc::InsecureServerCredentials());
    builder.RegisterService(services_.first.get());
    builder.RegisterService(services_.second.get());
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
  }
  void StopTracker() {
    if (server_ == nullptr) return;
    {
      common::MutexLock lock(&state_.mutex);
      state_.stopping = true;
      state_.changed.SignalAll();
    }
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
    server_ = nullptr;
  }

  std::unique_ptr<Runner> Connect(absl::Duration patience = absl::Minutes(5)) {
    TrackerRunnerOptions options;
    options.address = Address();
    options.job_id = "job";
    options.patience = patience;
    auto runner = ConnectTrackerRunner(options);
    EXPECT_TRUE(runner.ok()) << runner.status();
    return runner.ok() ? *std::move(runner) : nullptr;
  }

  void AddResults(int count) {
    common::MutexLock lock(&state_.mutex);
    for (int i = 0; i < count; ++i) {
      v1::WatchResponse& result = state_.results.emplace_back();
      result.set_cursor(state_.results.size());
      result.mutable_result()->set_trial_id(absl::StrCat("t", state_.results.size()));
    }
    state_.changed.SignalAll();
  }

  std::vector<std::string> Take(Runner& runner, int count) {
    std::vector<std::string> ids;
    for (int i = 0; i < count; ++i) {
      const auto next = runner.Next(absl::Minutes(1));
      if (!next.ok() || !next->has_value()) {
        ADD_FAILURE() << "result " << i << ": " << next.status();
        break;
      }
      ids.push_back((*next)->result.trial_id());
    }
    return ids;
  }

  static v1::Trial TrialOf(const std::string& id, const std::string& code) {
    v1::Trial trial;
    trial.set_trial_id(id);
    trial.add_kernels()->mutable_manifest()->set_code_digest(common::Sha256(code));
    return trial;
  }

  State state_;
  TempDir folder_;
  std::pair<std::unique_ptr<SmallTracker>, std::unique_ptr<SmallBlobs>> services_;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(TrackerRunnerTest, SubmitHandsOverAProvidedTrial) {
  const auto runner = Connect();
  ASSERT_TRUE(runner->Provide(common::Sha256("code"), "code").ok());
  EXPECT_TRUE(runner->Submit(TrialOf("t1", "code")).ok());
  common::MutexLock lock(&state_.mutex);
  EXPECT_THAT(state_.trials, ElementsAre("t1"));
}

TEST_F(TrackerRunnerTest, SubmitUploadsAgainWhatTheTrackerHasForgotten) {
  const auto runner = Connect();
  ASSERT_TRUE(runner->Provide(common::Sha256("code"), "code").ok());
  {
    common::MutexLock lock(&state_.mutex);
    state_.blobs.clear();
  }
  EXPECT_TRUE(runner->Submit(TrialOf("t1", "code")).ok());
  common::MutexLock lock(&state_.mutex);
  EXPECT_THAT(state_.trials, ElementsAre("t1"));
  EXPECT_EQ(state_.blobs[common::Sha256("code")], "code");
}

TEST_F(TrackerRunnerTest, BlobThatWasNeverProvidedIsAnError) {
  const absl::Status status = Connect()->Submit(TrialOf("t1", "unknown"));
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
}

TEST_F(TrackerRunnerTest, BrokenUploadIsResumedWhereItStopped) {
  {
    common::MutexLock lock(&state_.mutex);
    state_.uploads_to_break = 1;
  }
  const std::string large(1 << 20, 'b');
  ASSERT_TRUE(Connect()->Provide(common::Sha256(large), large).ok());
  common::MutexLock lock(&state_.mutex);
  EXPECT_THAT(state_.upload_offsets, ElementsAre(0, 256 << 10));
  EXPECT_EQ(state_.blobs[common::Sha256(large)], large);
}

TEST_F(TrackerRunnerTest, EmptyBlobIsProvided) { ASSERT_TRUE(Connect()->Provide(common::Sha256(""), "").ok()); }

TEST_F(TrackerRunnerTest, MalformedTrialIsNotTriedAgain) {
  const absl::Status status = Connect()->Submit(TrialOf("malformed", "code"));
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("not a trial"));
}

TEST_F(TrackerRunnerTest, ResultsComeOnceAndInOrderThoughStreamsBreakAndRepeat) {
  {
    common::MutexLock lock(&state_.mutex);
    state_.results_per_stream = 3;
    state_.repeat_last = true;
  }
  AddResults(9);
  const auto runner = Connect();
  EXPECT_THAT(Take(*runner, 9), ElementsAre("t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "t9"));
  EXPECT_FALSE(runner->Next(absl::ZeroDuration())->has_value());
}

TEST_F(TrackerRunnerTest, AcknowledgedResultsDoNotComeToTheNextRunner) {
  AddResults(4);
  {
    const auto runner = Connect();
    Take(*runner, 3);
    ASSERT_TRUE(runner->Acknowledge(2).ok());
  }
  EXPECT_THAT(Take(*Connect(), 2), ElementsAre("t3", "t4"));
}

TEST_F(TrackerRunnerTest, CallsWaitForATrackerThatComesBack) {
  const auto runner = Connect();
  ASSERT_TRUE(runner->Provide(common::Sha256("code"), "code").ok());
  StopTracker();
  std::thread submit([&] { EXPECT_TRUE(runner->Submit(TrialOf("t1", "code")).ok()); });
  std::thread results([&] { EXPECT_THAT(Take(*runner, 1), ElementsAre("t1")); });
  AddResults(1);
  StartTracker();
  submit.join();
  results.join();
  EXPECT_TRUE(runner->Acknowledge(1).ok());
}

TEST_F(TrackerRunnerTest, PatienceEndsWithAMessageThatNamesTheTracker) {
  const auto runner = Connect(absl::Milliseconds(200));
  StopTracker();
  const absl::Status submit = runner->Submit(TrialOf("t1", "code"));
  EXPECT_TRUE(absl::IsUnavailable(submit)) << submit;
  EXPECT_THAT(std::string(submit.message()), HasSubstr(folder_.path()));
  EXPECT_TRUE(absl::IsUnavailable(runner->Next(absl::InfiniteDuration()).status()));
}

TEST_F(TrackerRunnerTest, TrackerThatLostItsStateIsAnError) {
  AddResults(3);
  const auto runner = Connect();
  Take(*runner, 3);
  ASSERT_TRUE(runner->Acknowledge(3).ok());
  StopTracker();
  {
    common::MutexLock lock(&state_.mutex);
    state_.jobs.clear();
    state_.acknowledged = 0;
  }
  StartTracker();
  const absl::Status status = runner->Next(absl::InfiniteDuration()).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("forgotten"));
}

// Nothing was acknowledged, so only the missing job tells; the trial in flight would be waited for without end.
TEST_F(TrackerRunnerTest, TrackerThatLostATrialInFlightIsAnError) {
  const auto runner = Connect();
  ASSERT_TRUE(runner->Provide(common::Sha256("code"), "code").ok());
  ASSERT_TRUE(runner->Submit(TrialOf("t1", "code")).ok());
  StopTracker();
  {
    common::MutexLock lock(&state_.mutex);
    state_.jobs.clear();
  }
  StartTracker();
  const auto next = runner->Next(absl::Seconds(30));
  EXPECT_TRUE(absl::IsFailedPrecondition(next.status())) << next.status();
  EXPECT_THAT(std::string(next.status().message()), HasSubstr("forgotten"));
}

TEST_F(TrackerRunnerTest, ResultsOfAnEarlierRunAreABacklogUntilTheyAreDelivered) {
  AddResults(3);
  const auto runner = Connect();
  EXPECT_TRUE(runner->HasBacklog());
  Take(*runner, 2);
  EXPECT_TRUE(runner->HasBacklog());
  Take(*runner, 1);
  EXPECT_FALSE(runner->HasBacklog());
  AddResults(1);
  EXPECT_FALSE(runner->HasBacklog());
}

TEST_F(TrackerRunnerTest, CloseUnblocksEveryCall) {
  const auto runner = Connect();
  StopTracker();
  std::thread submit([&] { EXPECT_TRUE(absl::IsCancelled(runner->Submit(TrialOf("t1", "code")))); });
  std::thread next([&] { EXPECT_TRUE(absl::IsCancelled(runner->Next(absl::InfiniteDuration()).status())); });
  runner->Close();
  submit.join();
  next.join();
}

TEST_F(TrackerRunnerTest, NobodyAtTheAddressIsSaidAtOnce) {
  TrackerRunnerOptions options;
  options.address = absl::StrCat("unix:", folder_ / "other");
  options.job_id = "job";
  options.first_patience = absl::Milliseconds(100);
  const auto runner = ConnectTrackerRunner(options);
  EXPECT_TRUE(absl::IsUnavailable(runner.status())) << runner.status();
  EXPECT_THAT(std::string(runner.status().message()), HasSubstr("does not answer"));
}

TEST_F(TrackerRunnerTest, DevicesAreListedOrTheMessageSaysWhyNot) {
  const auto devices = ListDevices(Address());
  ASSERT_TRUE(devices.ok()) << devices.status();
  EXPECT_EQ(devices->devices_size(), 1);
  const auto nobody = ListDevices(Address() + "x");
  EXPECT_TRUE(absl::IsUnavailable(nobody.status()));
  EXPECT_THAT(std::string(nobody.status().message()), HasSubstr("is tunefleet-tracker running there?"));
}

}  // namespace
}  // namespace tunefleet::tuner
