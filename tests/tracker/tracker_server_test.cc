// A tracker in process, spoken to over gRPC by a plain agent and a plain client.
#include "tracker/tracker_server.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "proto/fleet.grpc.pb.h"
#include "tests/support/temp_dir.h"
#include "tests/tracker/core_harness.h"

namespace tunefleet::tracker {
namespace {

void SetDeadline(grpc::ClientContext* context) {
  context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
}

// One agent stream of the blocking API.
class AgentConnection {
 public:
  explicit AgentConnection(const std::shared_ptr<grpc::Channel>& channel) : stub_(v1::AgentService::NewStub(channel)) {
    SetDeadline(&context_);
    stream_ = stub_->Connect(&context_);
  }
  bool Hello(const v1::Hello& hello) {
    v1::AgentMessage message;
    *message.mutable_hello() = hello;
    return stream_->Write(message);
  }
  bool Finish(const v1::Lease& lease) {
    v1::AgentMessage message;
    *message.mutable_finished()->mutable_lease() = lease;
    *message.mutable_finished()->mutable_result() = MakeOutcome(lease.trial_id());
    return stream_->Write(message);
  }
  // An empty message when the stream has ended.
  v1::TrackerMessage Read() {
    v1::TrackerMessage message;
    if (!stream_->Read(&message)) message.Clear();
    return message;
  }
  grpc::Status End() { return stream_->Finish(); }
  void Cancel() { context_.TryCancel(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<v1::AgentService::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::AgentMessage, v1::TrackerMessage>> stream_;
};

class TrackerServerTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { Start(); }
  void Start() {
    TrackerServer::Options options;
    options.listen = GetParam() == "unix" ? "unix:" + (dir_ / "socket") : "127.0.0.1:0";
    options.state_directory = dir_ / "state";
    options.settings.grace = absl::Milliseconds(200);
    options.tick = absl::Milliseconds(20);
    auto server = TrackerServer::Start(options);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials());
    tracker_ = v1::TrackerService::NewStub(channel_);
    blobs_ = v1::BlobService::NewStub(channel_);
  }
  void Stop() { server_.reset(); }

  grpc::Status Open(const std::string& job) {
    grpc::ClientContext context;
    SetDeadline(&context);
    v1::OpenJobRequest request;
    request.set_job_id(job);
    v1::OpenJobResponse response;
    return tracker_->OpenJob(&context, request, &response);
  }
  v1::SubmitResponse Submit(const std::string& job, const v1::Trial& trial) {
    grpc::ClientContext context;
    SetDeadline(&context);
    v1::SubmitRequest request;
    request.set_job_id(job);
    *request.add_trials() = trial;
    v1::SubmitResponse response;
    const grpc::Status status = tracker_->Submit(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  // Sends data[from, to) as one message.
  grpc::Status Upload(const std::string& data, size_t from, size_t to, uint64_t* held) {
    grpc::ClientContext context;
    SetDeadline(&context);
    v1::UploadBlobResponse response;
    auto writer = blobs_->Upload(&context, &response);
    v1::UploadBlobRequest request;
    request.set_digest(common::Sha256(data));
    request.set_total_bytes(data.size());
    request.set_offset(from);
    request.set_data(data.substr(from, to - from));
    writer->Write(request);
    writer->WritesDone();
    const grpc::Status status = writer->Finish();
    *held = response.size_bytes();
    return status;
  }
  grpc::Status Download(const std::string& digest, uint64_t offset, std::string* data) {
    grpc::ClientContext context;
    SetDeadline(&context);
    v1::DownloadBlobRequest request;
    request.set_digest(digest);
    request.set_offset(offset);
    auto reader = blobs_->Download(&context, request);
    v1::DownloadBlobResponse response;
    while (reader->Read(&response)) data->append(response.data());
    return reader->Finish();
  }

  TempDir dir_;
  std::unique_ptr<TrackerServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::TrackerService::Stub> tracker_;
  std::unique_ptr<v1::BlobService::Stub> blobs_;
};

TEST_P(TrackerServerTest, TrialRunsAndItsResultSurvivesARestart) {
  ASSERT_TRUE(Open("j").ok());
  uint64_t held = 0;
  ASSERT_TRUE(Upload("code", 0, 4, &held).ok());
  ASSERT_EQ(Submit("j", MakeTrial("t", "code")).accepted_size(), 1);

  AgentConnection agent(channel_);
  ASSERT_TRUE(agent.Hello(MakeHello("a", 1, {"d"})));
  ASSERT_TRUE(agent.Read().has_welcome());
  const v1::TrackerMessage assign = agent.Read();
  ASSERT_TRUE(assign.has_assign());
  EXPECT_EQ(assign.assign().trial().trial_id(), "t");
  EXPECT_EQ(assign.assign().deadline().seconds(), 36);
  ASSERT_TRUE(agent.Finish(assign.assign().lease()));
  EXPECT_EQ(agent.Read().ack().acknowledgement(), v1::ACKNOWLEDGEMENT_RECORDED);
  agent.Cancel();

  Stop();
  Start();
  grpc::ClientContext context;
  SetDeadline(&context);
  v1::WatchRequest watch;
  watch.set_job_id("j");
  auto reader = tracker_->Watch(&context, watch);
  v1::WatchResponse result;
  ASSERT_TRUE(reader->Read(&result));
  EXPECT_EQ(result.cursor(), 1u);
  EXPECT_EQ(result.result().trial_id(), "t");
  Stop();
  EXPECT_FALSE(reader->Read(&result));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_P(TrackerServerTest, BrokenAgentStreamIsNoticedAndItsTrialGoesToAnother) {
  ASSERT_TRUE(Open("j").ok());
  uint64_t held = 0;
  ASSERT_TRUE(Upload("code", 0, 4, &held).ok());
  AgentConnection first(channel_);
  ASSERT_TRUE(first.Hello(MakeHello("a", 1, {"d"})));
  ASSERT_TRUE(first.Read().has_welcome());
  ASSERT_EQ(Submit("j", MakeTrial("t", "code")).accepted_size(), 1);
  ASSERT_TRUE(first.Read().has_assign());
  first.Cancel();
  AgentConnection second(channel_);
  ASSERT_TRUE(second.Hello(MakeHello("b", 1, {"e"})));
  ASSERT_TRUE(second.Read().has_welcome());
  EXPECT_EQ(second.Read().assign().trial().trial_id(), "t");
}

TEST_P(TrackerServerTest, AgentErrorsAreTyped) {
  AgentConnection future(channel_);
  v1::Hello hello = MakeHello("a", 1, {"d"});
  hello.set_protocol_min(9);
  hello.set_protocol_max(9);
  ASSERT_TRUE(future.Hello(hello));
  EXPECT_EQ(future.Read().message_case(), v1::TrackerMessage::MESSAGE_NOT_SET);
  EXPECT_EQ(future.End().error_code(), grpc::StatusCode::FAILED_PRECONDITION);

  AgentConnection old_stream(channel_);
  ASSERT_TRUE(old_stream.Hello(MakeHello("a", 1, {"d"})));
  ASSERT_TRUE(old_stream.Read().has_welcome());
  AgentConnection new_stream(channel_);
  ASSERT_TRUE(new_stream.Hello(MakeHello("a", 1, {"d"})));
  ASSERT_TRUE(new_stream.Read().has_welcome());
  old_stream.Read();
  EXPECT_EQ(old_stream.End().error_code(), grpc::StatusCode::ABORTED);

  AgentConnection rude(channel_);
  ASSERT_TRUE(rude.Finish(LeaseToProto("t", {1, 1}, "d")));
  rude.Read();
  EXPECT_EQ(rude.End().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_P(TrackerServerTest, UploadResumesAndDownloadReadsFromAnywhere) {
  std::string data(700000, '\0');
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 31 >> 3);
  uint64_t held = 0;
  ASSERT_TRUE(Upload(data, 0, 300000, &held).ok());
  EXPECT_EQ(held, 300000u);
  EXPECT_EQ(Upload(data, 100, 200, &held).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  std::string got;
  EXPECT_EQ(Download(common::Sha256(data), 0, &got).error_code(), grpc::StatusCode::NOT_FOUND);
  ASSERT_TRUE(Upload(data, 300000, data.size(), &held).ok());
  EXPECT_EQ(held, data.size());
  EXPECT_TRUE(Upload(data, 0, 500000, &held).ok()) << "complete already";
  EXPECT_EQ(held, data.size());
  ASSERT_TRUE(Download(common::Sha256(data), 0, &got).ok());
  EXPECT_EQ(got, data);
  got.clear();
  ASSERT_TRUE(Download(common::Sha256(data), 650000, &got).ok());
  EXPECT_EQ(got, data.substr(650000));
  EXPECT_EQ(Download(common::Sha256(data), data.size() + 1, &got).error_code(), grpc::StatusCode::OUT_OF_RANGE);
  EXPECT_EQ(Download("short", 0, &got).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_P(TrackerServerTest, ClientErrorsAreTyped) {
  EXPECT_EQ(Open("bad/id").error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  grpc::ClientContext context;
  SetDeadline(&context);
  v1::WatchRequest watch;
  watch.set_job_id("none");
  auto reader = tracker_->Watch(&context, watch);
  v1::WatchResponse result;
  EXPECT_FALSE(reader->Read(&result));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_P(TrackerServerTest, SecondServerOnTheSameStateIsRefused) {
  TrackerServer::Options options;
  options.listen = "127.0.0.1:0";
  options.state_directory = dir_ / "state";
  EXPECT_EQ(TrackerServer::Start(options).status().code(), absl::StatusCode::kFailedPrecondition);
  options.state_directory = dir_ / "other";
  options.listen = server_->address();
  EXPECT_EQ(TrackerServer::Start(options).status().code(), absl::StatusCode::kAlreadyExists);
}

INSTANTIATE_TEST_SUITE_P(Transports, TrackerServerTest, ::testing::Values("tcp", "unix"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace tunefleet::tracker
