// The loop with a real store and real threads, without gRPC.
#include "tracker/service/tracker_loop.h"

#include <gtest/gtest.h>

#include <future>

#include "common/digest.h"
#include "tests/support/temp_dir.h"
#include "tests/tracker/core_harness.h"
#include "tracker/core/validate.h"

namespace tunefleet::tracker {
namespace {

// Hands what it is sent to the test's thread.
template <typename Item>
class Inbox {
 public:
  void Put(Item item) {
    common::MutexLock lock(&mutex_);
    items_.push_back(std::move(item));
    changed_.SignalAll();
  }
  Item Take() {
    common::MutexLock lock(&mutex_);
    while (items_.empty()) changed_.Wait(&mutex_);
    Item item = std::move(items_.front());
    items_.pop_front();
    return item;
  }

 private:
  common::Mutex mutex_;
  common::CondVar changed_;
  std::deque<Item> items_ ABSL_GUARDED_BY(mutex_);
};

class FakeAgent final : public AgentSink {
 public:
  void Send(v1::TrackerMessage message) override { inbox.Put(std::move(message)); }
  void ReadNext() override {}
  void Close(const absl::Status& status) override { closed.Put(status); }
  Inbox<v1::TrackerMessage> inbox;
  Inbox<absl::Status> closed;
};

class FakeWatcher final : public WatchSink {
 public:
  void Send(uint64_t cursor, std::shared_ptr<const v1::TrialResult> result) override { inbox.Put({cursor, *result}); }
  void Close(const absl::Status& status) override { closed.Put(status); }
  Inbox<std::pair<uint64_t, v1::TrialResult>> inbox;
  Inbox<absl::Status> closed;
};

class TrackerLoopTest : public ::testing::Test {
 protected:
  void SetUp() override { Start(); }
  void TearDown() override { End(); }
  void Start() {
    store_ = *Store::Open(dir_.path());
    blobs_ = *BlobStore::Open(dir_ / "blobs", 1 << 20);
    loop_ =
        *TrackerLoop::Start(Settings(), absl::Milliseconds(10), store_.get(), blobs_.get(), &common::MonotonicClock(),
                            {.on_failure = [this](const absl::Status& status) { failure_.Put(status); },
                             .power_cycle = [](const PowerCycle&) {}});
  }
  void End() {
    loop_.reset();
    blobs_.reset();
    store_.reset();
  }
  template <typename Response>
  static absl::StatusOr<Response> Wait(const std::function<void(ReplyTo<Response>)>& call) {
    Inbox<absl::StatusOr<Response>> inbox;
    call([&inbox](absl::StatusOr<Response> answer) { inbox.Put(std::move(answer)); });
    return inbox.Take();
  }
  absl::Status Open(const std::string& job) {
    v1::OpenJobRequest request;
    request.set_job_id(job);
    return Wait<v1::OpenJobResponse>([&](auto reply) { loop_->OpenJob(request, reply); }).status();
  }
  v1::SubmitResponse Submit(const std::string& job, const v1::Trial& trial) {
    v1::SubmitRequest request;
    request.set_job_id(job);
    *request.add_trials() = trial;
    return *Wait<v1::SubmitResponse>([&](auto reply) { loop_->Submit(request, reply); });
  }
  void PutBlob(const std::string& data) {
    auto writer = *blobs_->Write(common::Sha256(data), data.size(), 0);
    ASSERT_TRUE(writer->Write(data).ok());
    ASSERT_TRUE(writer->Finish().ok());
  }
  StreamId Say(StreamId stream, const v1::AgentMessage& message) {
    loop_->OnMessage(stream, message);
    return stream;
  }
  // Agent "a" with device "d" says hello and is welcomed.
  StreamId Greet(const std::shared_ptr<FakeAgent>& agent) {
    v1::AgentMessage message;
    *message.mutable_hello() = MakeHello("a", 1, {"d"});
    const StreamId stream = Say(loop_->AddAgent(agent), message);
    EXPECT_TRUE(agent->inbox.Take().has_welcome());
    return stream;
  }

  TempDir dir_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<BlobStore> blobs_;
  std::unique_ptr<TrackerLoop> loop_;
  Inbox<absl::Status> failure_;
};

TEST_F(TrackerLoopTest, TrialGoesFromClientToAgentAndItsResultBack) {
  ASSERT_TRUE(Open("j").ok());
  const v1::Trial trial = MakeTrial("t", "code");
  EXPECT_EQ(Submit("j", trial).missing(0), common::Sha256("code"));
  PutBlob("code");
  EXPECT_EQ(Submit("j", trial).accepted(0), "t");

  const auto watcher = std::make_shared<FakeWatcher>();
  v1::WatchRequest watch;
  watch.set_job_id("j");
  loop_->AddWatcher(watch, watcher);
  const auto agent = std::make_shared<FakeAgent>();
  const StreamId stream = Greet(agent);
  v1::AgentMessage message;
  const v1::Lease lease = agent->inbox.Take().assign().lease();
  *message.mutable_finished()->mutable_lease() = lease;
  *message.mutable_finished()->mutable_result() = MakeOutcome("t");
  Say(stream, message);
  EXPECT_EQ(agent->inbox.Take().ack().acknowledgement(), v1::ACKNOWLEDGEMENT_RECORDED);
  const auto [cursor, result] = watcher->inbox.Take();
  EXPECT_EQ(cursor, 1u);
  EXPECT_EQ(result.trial_id(), "t");

  End();
  EXPECT_EQ(watcher->closed.Take().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(agent->closed.Take().code(), absl::StatusCode::kUnavailable);
  Start();
  const auto again = std::make_shared<FakeWatcher>();
  loop_->AddWatcher(watch, again);
  EXPECT_EQ(again->inbox.Take().second.trial_id(), "t") << "kept until acknowledged";
}

TEST_F(TrackerLoopTest, AResultThatCannotBeRecordedIsAnErrorOfTheDeviceAndFreesTheAgent) {
  ASSERT_TRUE(Open("j").ok());
  PutBlob("code");
  for (const char* name : {"large", "odd"}) {
    v1::Trial trial = MakeTrial(name, "code");
    trial.set_repeat(static_cast<uint32_t>(name[0]));  // measured by itself
    ASSERT_EQ(Submit("j", trial).accepted_size(), 1);
  }
  const auto watcher = std::make_shared<FakeWatcher>();
  v1::WatchRequest watch;
  watch.set_job_id("j");
  loop_->AddWatcher(watch, watcher);
  const auto agent = std::make_shared<FakeAgent>();
  const StreamId stream = Greet(agent);
  v1::AgentMessage message;
  // Every trial that is assigned, whatever comes between.
  for (int refused = 0; refused < 2;) {
    const v1::TrackerMessage told = agent->inbox.Take();
    if (!told.has_assign()) {
      EXPECT_EQ(told.ack().acknowledgement(), v1::ACKNOWLEDGEMENT_RECORDED);
      continue;
    }
    const v1::Lease& lease = told.assign().lease();
    *message.mutable_finished()->mutable_lease() = lease;
    v1::TrialResult& result = *message.mutable_finished()->mutable_result();
    result = MakeOutcome(lease.trial_id());
    if (lease.trial_id() == "large") {
      while (result.ByteSizeLong() <= kMaxControlBytes) {
        v1::KernelResult& kernel = *result.add_kernels();
        for (int i = 0; i < 256; ++i) kernel.add_samples()->set_total_ns(uint64_t{1} << 62);
      }
    } else {
      result.set_outcome(v1::OUTCOME_CANCELLED);
    }
    Say(stream, message);
    const auto [cursor, recorded] = watcher->inbox.Take();
    EXPECT_EQ(recorded.trial_id(), lease.trial_id());
    EXPECT_EQ(recorded.outcome(), v1::OUTCOME_DEVICE_ERROR);
    EXPECT_NE(recorded.detail().find("refused"), std::string::npos) << recorded.detail();
    ++refused;
  }
  // Without a lease there is nothing to acknowledge.
  message.mutable_finished()->mutable_lease()->set_trial_id("");
  Say(stream, message);
  EXPECT_EQ(agent->closed.Take().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(TrackerLoopTest, LiveTrialsPinTheirBlobsAlsoAfterARestart) {
  ASSERT_TRUE(Open("j").ok());
  const std::string data(900 << 10, 'x');
  v1::Trial trial = MakeTrial("t", data);
  PutBlob(data);
  ASSERT_EQ(Submit("j", trial).accepted_size(), 1);
  End();
  Start();
  EXPECT_EQ(blobs_->Write(common::Sha256("y"), 900 << 10, 0).status().code(), absl::StatusCode::kResourceExhausted);
  v1::CancelJobRequest cancel;
  cancel.set_job_id("j");
  ASSERT_TRUE(Wait<v1::CancelJobResponse>([&](auto reply) { loop_->CancelJob(cancel, reply); }).ok());
  // The release waits for the same commit as the reply and comes before it.
  EXPECT_TRUE(blobs_->Write(common::Sha256("y"), 900 << 10, 0).ok());
}

TEST_F(TrackerLoopTest, MalformedMessageClosesTheStream) {
  const auto agent = std::make_shared<FakeAgent>();
  Say(loop_->AddAgent(agent), v1::AgentMessage());
  EXPECT_EQ(agent->closed.Take().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(TrackerLoopTest, StoreThatFailsEndsTheService) {
  ASSERT_TRUE(Open("j").ok());
  const auto agent = std::make_shared<FakeAgent>();
  loop_->AddAgent(agent);
  const auto usurper = Database::Open(dir_ / "tracker.db");  // raises the epoch
  ASSERT_TRUE(usurper.ok());
  EXPECT_EQ(Open("k").code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(failure_.Take().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(agent->closed.Take().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Open("l").code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace tunefleet::tracker
