#include "tests/support/apart.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "common/check.h"
#include "common/child_process.h"

namespace tunefleet::testing {
namespace {

constexpr size_t kChunk = 64 << 10;

bool WriteAll(int fd, const std::string& bytes) {
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t count = write(fd, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno != EINTR) return false;
    if (count > 0) done += static_cast<size_t>(count);
  }
  return true;
}

std::string ReadAll(int fd) {
  std::string bytes;
  char chunk[kChunk];
  for (ssize_t count = 1; count != 0;) {
    count = read(fd, chunk, sizeof(chunk));
    TF_CHECK(count >= 0 || errno == EINTR, "cannot read a pipe");
    if (count > 0) bytes.append(chunk, static_cast<size_t>(count));
  }
  return bytes;
}

}  // namespace

absl::StatusOr<std::string> Apart(absl::FunctionRef<std::string()> function) {
  int ends[2];
  TF_CHECK(pipe2(ends, O_CLOEXEC) == 0, "cannot make a pipe");
  const pid_t pid = fork();
  TF_CHECK(pid >= 0, "cannot fork");
  if (pid == 0) _exit(WriteAll(ends[1], function()) ? 0 : 1);
  close(ends[1]);
  std::string result = ReadAll(ends[0]);
  close(ends[0]);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) return absl::AbortedError(common::DescribeWaitStatus(status));
  return result;
}

}  // namespace tunefleet::testing
