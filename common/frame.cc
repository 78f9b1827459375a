#include "common/frame.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/status_macros.h"

namespace tunefleet::common {
namespace {

uint32_t LoadLittleEndian(const unsigned char* bytes) {
  return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | static_cast<uint32_t>(bytes[3]) << 24;
}

absl::Status WriteAll(int fd, const char* data, size_t size) {
  while (size > 0) {
    ssize_t written = send(fd, data, size, MSG_NOSIGNAL);
    if (written < 0 && errno == ENOTSOCK) written = write(fd, data, size);
    if (written < 0) {
      if (errno == EINTR) continue;
      return absl::UnavailableError(absl::StrCat("write frame: ", strerror(errno)));
    }
    data += written;
    size -= static_cast<size_t>(written);
  }
  return absl::OkStatus();
}

int PollMilliseconds(absl::Time deadline) {
  if (deadline == absl::InfiniteFuture()) return -1;
  const int64_t left = absl::ToInt64Milliseconds(absl::Ceil(deadline - MonotonicClock().Now(), absl::Milliseconds(1)));
  return static_cast<int>(std::clamp<int64_t>(left, 0, std::numeric_limits<int>::max()));
}

absl::Status ReadAll(int fd, char* data, size_t size, absl::Time deadline, bool end_is_clean) {
  size_t done = 0;
  while (done < size) {
    pollfd entry{fd, POLLIN, 0};
    const int ready = poll(&entry, 1, PollMilliseconds(deadline));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) return absl::DeadlineExceededError("read frame: timed out");
    const ssize_t count = read(fd, data + done, size - done);
    if (count < 0) {
      if (errno == EINTR || errno == EAGAIN) continue;
      return absl::UnavailableError(absl::StrCat("read frame: ", strerror(errno)));
    }
    if (count == 0) {
      if (done == 0 && end_is_clean) return absl::OutOfRangeError("read frame: end of stream");
      return absl::DataLossError("read frame: truncated");
    }
    done += static_cast<size_t>(count);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status WriteFrame(int fd, const google::protobuf::MessageLite& message) {
  const size_t size = message.ByteSizeLong();
  if (size > kMaxFrameBytes) {
    return absl::InvalidArgumentError(absl::StrCat("write frame: ", size, " bytes, at most ", kMaxFrameBytes));
  }
  std::string frame(4, '\0');
  for (int i = 0; i < 4; ++i) frame[i] = static_cast<char>(size >> (8 * i));
  message.AppendToString(&frame);
  return WriteAll(fd, frame.data(), frame.size());
}

absl::Status ReadFrame(int fd, google::protobuf::MessageLite* message, absl::Duration timeout) {
  const absl::Time deadline =
      timeout == absl::InfiniteDuration() ? absl::InfiniteFuture() : MonotonicClock().Now() + timeout;
  unsigned char header[4];
  TF_RETURN_IF_ERROR(ReadAll(fd, reinterpret_cast<char*>(header), sizeof(header), deadline, /*end_is_clean=*/true));
  const uint32_t size = LoadLittleEndian(header);
  if (size > kMaxFrameBytes) {
    return absl::ResourceExhaustedError(absl::StrCat("read frame: ", size, " bytes, at most ", kMaxFrameBytes));
  }
  std::string body(size, '\0');
  TF_RETURN_IF_ERROR(ReadAll(fd, body.data(), body.size(), deadline, /*end_is_clean=*/false));
  if (!message->ParseFromString(body)) return absl::DataLossError("read frame: not a valid message");
  return absl::OkStatus();
}

}  // namespace tunefleet::common
