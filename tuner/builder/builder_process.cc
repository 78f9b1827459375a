#include "tuner/builder/builder_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/child_process.h"
#include "common/frame.h"

namespace tunefleet::tuner {
namespace {

constexpr absl::Duration kFarewell = absl::Seconds(1);
constexpr uint64_t kFileBytes = 256 << 20;  // what a child may write into one file, its messages included
constexpr size_t kErrorTailBytes = 400;

}  // namespace

absl::StatusOr<std::unique_ptr<BuilderProcess>> BuilderProcess::Start(const BuilderProcessOptions& options) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return absl::InternalError(absl::StrCat("socketpair: ", strerror(errno)));
  }
  const timeval patience = absl::ToTimeval(options.timeout);
  setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  const int errors = memfd_create("builder-errors", MFD_CLOEXEC);
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  common::ChildOptions child;
  child.arguments = {options.program};
  child.arguments.insert(child.arguments.end(), options.arguments.begin(), options.arguments.end());
  child.descriptors = {{null, 0}, {null, 1}, {errors, 2}, {pair[1], kBuilderSocket}};
  child.cores = options.cores;
  child.nice = options.nice;
  child.address_space_bytes = options.memory_limit_bytes;
  child.file_bytes = kFileBytes;
  child.die_with_thread = true;
  absl::StatusOr<pid_t> pid = common::StartChild(child);
  close(pair[1]);
  close(null);
  if (!pid.ok()) {
    close(pair[0]);
    close(errors);
    return pid.status();
  }
  return std::unique_ptr<BuilderProcess>(new BuilderProcess(options, *pid, pair[0], errors));
}

BuilderProcess::BuilderProcess(const BuilderProcessOptions& options, pid_t pid, int socket, int errors)
    : options_(options), pid_(pid), socket_(socket), errors_(errors) {}

BuilderProcess::~BuilderProcess() {
  close(socket_);
  close(errors_);
  if (alive() && !common::WaitChild(pid_, kFarewell).ok()) common::KillChild(pid_);
}

v1::BuildResponse BuilderProcess::Build(const v1::BuildRequest& request) {
  absl::Status status = common::WriteFrame(socket_, request);
  v1::BuildResponse response;
  if (status.ok()) status = common::ReadFrame(socket_, &response, options_.timeout);
  if (absl::IsDeadlineExceeded(status)) {
    return Bury(request, v1::OUTCOME_BUILD_TIMED_OUT,
                absl::StrCat("no kernel after ", absl::FormatDuration(options_.timeout)));
  }
  if (!status.ok()) return Bury(request, v1::OUTCOME_UNSPECIFIED, std::string(status.message()));
  const bool sound = response.outcome() == v1::OUTCOME_OK || response.outcome() == v1::OUTCOME_REFUSED ||
                     response.outcome() == v1::OUTCOME_BUILD_FAILED;
  if (response.id() != request.id() || !sound) {
    return Bury(request, v1::OUTCOME_BUILD_CRASHED, "the builder answered what it was not asked");
  }
  return response;
}

v1::BuildResponse BuilderProcess::Bury(const v1::BuildRequest& request, v1::Outcome known, const std::string& detail) {
  // A child whose socket closed is ending by itself: its status tells more than our SIGKILL would.
  int status = 0;
  bool killed_by_us = known != v1::OUTCOME_UNSPECIFIED;
  if (!killed_by_us) {
    const absl::StatusOr<int> ended = common::WaitChild(pid_, kFarewell);
    killed_by_us = !ended.ok();
    status = ended.value_or(0);
  }
  if (killed_by_us) status = common::KillChild(pid_);
  pid_ = -1;

  v1::BuildResponse response;
  response.set_id(request.id());
  if (known != v1::OUTCOME_UNSPECIFIED) {
    response.set_outcome(known);
    response.set_detail(detail);
    return response;
  }
  // Nobody but the kernel's out-of-memory killer sends a builder SIGKILL.
  const bool out_of_memory = !killed_by_us && ((WIFEXITED(status) && WEXITSTATUS(status) == kOutOfMemoryExit) ||
                                               (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
  response.set_outcome(out_of_memory ? v1::OUTCOME_BUILD_OUT_OF_MEMORY : v1::OUTCOME_BUILD_CRASHED);
  std::string text = killed_by_us ? absl::StrCat("the builder's answer makes no sense (", detail, ")")
                                  : absl::StrCat("the builder ended with ", common::DescribeWaitStatus(status));
  if (const std::string last = LastErrorLine(); !last.empty()) absl::StrAppend(&text, ": ", last);
  response.set_detail(text);
  return response;
}

std::string BuilderProcess::LastErrorLine() const {
  struct stat info {};
  if (fstat(errors_, &info) != 0 || info.st_size == 0) return "";
  std::string tail(std::min<size_t>(info.st_size, kErrorTailBytes), '\0');
  const ssize_t count = pread(errors_, tail.data(), tail.size(), info.st_size - static_cast<off_t>(tail.size()));
  tail.resize(count > 0 ? count : 0);
  tail = std::string(absl::StripAsciiWhitespace(tail));
  return tail.substr(tail.rfind('\n') + 1);
}

}  // namespace tunefleet::tuner
