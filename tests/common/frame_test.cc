#include "common/frame.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>
#include <string>
#include <thread>

#include "proto/workload.pb.h"

namespace tunefleet::common {
namespace {

// A connected pair of descriptors, closed at the end. `reader` reads what `writer` wrote.
class Channel {
 public:
  explicit Channel(bool socket) {
    int fds[2];
    EXPECT_EQ(socket ? socketpair(AF_UNIX, SOCK_STREAM, 0, fds) : pipe(fds), 0);
    reader_ = fds[0];
    writer_ = fds[1];
  }
  ~Channel() {
    CloseReader();
    CloseWriter();
  }
  int reader() const { return reader_; }
  int writer() const { return writer_; }
  void CloseReader() { Close(&reader_); }
  void CloseWriter() { Close(&writer_); }
  void Send(const std::string& bytes) {
    ASSERT_EQ(write(writer_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }

 private:
  static void Close(int* fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
  }
  int reader_;
  int writer_;
};

v1::Tensor NamedTensor(const std::string& name) {
  v1::Tensor tensor;
  tensor.set_name(name);
  tensor.add_shape(3);
  return tensor;
}

std::string LengthOf(uint32_t size) {
  std::string header;
  for (int i = 0; i < 4; ++i) header += static_cast<char>(size >> (8 * i));
  return header;
}

class FrameTest : public ::testing::TestWithParam<bool> {};

TEST_P(FrameTest, MessagesComeBackInOrder) {
  Channel channel(GetParam());
  for (const char* name : {"a", "", "some longer name"}) {
    ASSERT_TRUE(WriteFrame(channel.writer(), NamedTensor(name)).ok());
  }
  ASSERT_TRUE(WriteFrame(channel.writer(), v1::Tensor()).ok());  // no bytes at all
  channel.CloseWriter();
  v1::Tensor tensor;
  for (const char* name : {"a", "", "some longer name"}) {
    ASSERT_TRUE(ReadFrame(channel.reader(), &tensor).ok());
    EXPECT_EQ(tensor.SerializeAsString(), NamedTensor(name).SerializeAsString());
  }
  ASSERT_TRUE(ReadFrame(channel.reader(), &tensor).ok());
  EXPECT_EQ(tensor.ByteSizeLong(), 0u);
  EXPECT_EQ(ReadFrame(channel.reader(), &tensor).code(), absl::StatusCode::kOutOfRange);
}

TEST_P(FrameTest, AFrameLargerThanTheKernelsBufferArrivesWhole) {
  Channel channel(GetParam());
  const v1::Tensor sent = NamedTensor(std::string(5 << 20, 'x'));
  std::thread writer([&] { EXPECT_TRUE(WriteFrame(channel.writer(), sent).ok()); });
  v1::Tensor received;
  const absl::Status status = ReadFrame(channel.reader(), &received);
  writer.join();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(received.name(), sent.name());
}

TEST_P(FrameTest, TruncationIsDataLossWhereverItHappens) {
  const std::string body = NamedTensor("name").SerializeAsString();
  const std::string frame = LengthOf(static_cast<uint32_t>(body.size())) + body;
  for (size_t size = 1; size < frame.size(); ++size) {
    Channel channel(GetParam());
    channel.Send(frame.substr(0, size));
    channel.CloseWriter();
    v1::Tensor tensor;
    EXPECT_EQ(ReadFrame(channel.reader(), &tensor).code(), absl::StatusCode::kDataLoss) << size;
  }
}

TEST_P(FrameTest, AnOversizedLengthIsRefusedBeforeTheBody) {
  for (const uint32_t size : {kMaxFrameBytes + 1, 0xffffffffu}) {
    Channel channel(GetParam());
    channel.Send(LengthOf(size));
    v1::Tensor tensor;
    EXPECT_EQ(ReadFrame(channel.reader(), &tensor).code(), absl::StatusCode::kResourceExhausted);
  }
}

TEST_P(FrameTest, HostileBytesNeverGiveMoreThanAnError) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 300; ++i) {
    Channel channel(GetParam());
    std::string body;
    for (uint64_t left = random() % 200; left > 0; --left) body += static_cast<char>(random());
    // Half with a true length, so that the parser sees the bytes; half with any length that is quickly allocated.
    const auto length = static_cast<uint32_t>(i % 2 == 0 ? body.size() : random() % 4096);
    channel.Send(LengthOf(length) + body);
    channel.CloseWriter();
    v1::Tensor tensor;
    const absl::StatusCode code = ReadFrame(channel.reader(), &tensor).code();
    EXPECT_TRUE(code == absl::StatusCode::kOk || code == absl::StatusCode::kDataLoss) << code;
    if (length > body.size()) {
      EXPECT_EQ(code, absl::StatusCode::kDataLoss);
    }
  }
}

TEST_P(FrameTest, AMissingFrameTimesOut) {
  Channel channel(GetParam());
  v1::Tensor tensor;
  EXPECT_EQ(ReadFrame(channel.reader(), &tensor, absl::Milliseconds(1)).code(), absl::StatusCode::kDeadlineExceeded);
  channel.Send(LengthOf(10) + "abc");  // a header and a part of the body do not help
  EXPECT_EQ(ReadFrame(channel.reader(), &tensor, absl::Milliseconds(1)).code(), absl::StatusCode::kDeadlineExceeded);
}

INSTANTIATE_TEST_SUITE_P(PipesAndSockets, FrameTest, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "Socket" : "Pipe"; });

TEST(FrameSocketTest, WritingToAClosedReaderIsUnavailableAndRaisesNoSignal) {
  Channel channel(/*socket=*/true);
  channel.CloseReader();
  EXPECT_EQ(WriteFrame(channel.writer(), NamedTensor("x")).code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace tunefleet::common
