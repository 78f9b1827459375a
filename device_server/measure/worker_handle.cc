#include "device_server/measure/worker_handle.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/check.h"
#include "common/child_process.h"
#include "common/clock.h"
#include "device_server/worker/sentinel.h"

namespace tunefleet::device {
namespace {

constexpr absl::Duration kStartTimeout = absl::Seconds(10);
constexpr absl::Duration kOpenTimeout = absl::Seconds(10);
constexpr absl::Duration kCloseTimeout = absl::Seconds(5);      // a kernel's destructors run
constexpr absl::Duration kSentinelTimeout = absl::Seconds(10);  // milliseconds are normal
// A worker whose socket closed is on its way out; large memory takes a while to give back.
constexpr absl::Duration kDyingGrace = absl::Seconds(5);
constexpr absl::Duration kGlance = absl::Milliseconds(50);

std::string Place(const WorkerReport& fault, const v1::ArtifactManifest& manifest) {
  const char* const action = fault.is_write != 0 ? "writing" : "accessing";
  if (fault.buffer == kWorkspaceBuffer) {
    return absl::StrFormat(" %s byte %d of the workspace's %u", action, fault.offset, manifest.workspace_bytes());
  }
  if (fault.buffer < 0 || fault.buffer >= manifest.buffers_size()) {
    return fault.code == SIGSEGV || fault.code == SIGBUS ? absl::StrFormat(" at address %#x", fault.address) : "";
  }
  const v1::BufferSpec& buffer = manifest.buffers(fault.buffer);
  return absl::StrFormat(" %s byte %d of buffer '%s' of %u bytes", action, fault.offset, buffer.name(),
                         buffer.size_bytes());
}

// Whether what the worker says it measured fits into the time that passed here. The system may correct the rate of this
// clock, by no more than a tenth, and never that of the worker's.
bool IsPossible(const WorkerCommand& command, const WorkerReport& report, absl::Duration passed) {
  const uint64_t most = static_cast<uint64_t>(absl::ToInt64Nanoseconds(1.1 * passed + absl::Milliseconds(1)));
  const auto fits = [&](uint64_t reading_ns, uint64_t times) {
    return reading_ns >= kShortestSentinelNs && reading_ns <= most / (times * kSentinelChains);
  };
  if (report.elapsed_ns > most) return false;
  if (command.kind == WorkerCommandKind::kSentinel) return fits(report.elapsed_ns, 1);
  return command.timed == 0 || (fits(report.sentinel_ns, 2) && report.units_ns <= most);
}

}  // namespace

WorkerHandle::~WorkerHandle() { Kill(); }

void WorkerHandle::Kill() {
  if (!id_) return;
  zygote_->Reap(*id_, absl::ZeroDuration()).IgnoreError();
  id_.reset();
}

Failure WorkerHandle::Kill(Failure failure) {
  Kill();
  return failure;
}

std::optional<Failure> WorkerHandle::Start(const WorkerSpec& spec) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return Failure{v1::OUTCOME_DEVICE_ERROR, absl::StrCat("socketpair: ", strerror(errno))};
  }
  socket_.Reset(ends[0]);
  UniqueFd theirs(ends[1]);
  const absl::StatusOr<WorkerId> id = zygote_->Spawn(spec, theirs.get());
  if (!id.ok()) return Failure{v1::OUTCOME_DEVICE_ERROR, std::string(id.status().message())};
  id_ = *id;
  WorkerReport report;
  // The worker runs our own code alone until it has loaded a kernel: whatever goes wrong here is the device's doing.
  // Our copy of its end must be closed first, so that its death is seen.
  theirs.Reset();
  const absl::Status status = ReceivePacket(socket_.get(), &report, kStartTimeout);
  if (status.ok() && report.kind == WorkerReportKind::kReady) {
    sandbox_ = report.sandbox | zygote_->sandbox();
    scheduling_ = static_cast<Scheduling>(report.scheduling);
    mapped_bytes_ = report.amount;
    const uint32_t missing = zygote_->required_sandbox() & ~sandbox_;
    if (missing == 0) return std::nullopt;
    // Perhaps for once, perhaps its zygote's doing: the next worker has another.
    Kill();
    zygote_->End();
    return Failure{v1::OUTCOME_DEVICE_ERROR,
                   absl::StrCat("start a worker: the sandbox is no longer what it was, without ",
                                absl::StrJoin(SandboxNames(missing), ", "))};
  }
  report.text[sizeof(report.text) - 1] = '\0';
  return Kill({v1::OUTCOME_DEVICE_ERROR,
               absl::StrCat("start a worker: ", status.ok() ? absl::string_view(report.text) : status.message())});
}

std::optional<Failure> WorkerHandle::Open(const KernelSpec& spec, std::span<const int> fds,
                                          const v1::ArtifactManifest& manifest) {
  manifest_ = &manifest;
  memory_limit_bytes_ = spec.memory_limit_bytes;
  if (const absl::Status status = zygote_->AllowMemory(spec); !status.ok()) {
    return Kill({v1::OUTCOME_DEVICE_ERROR, absl::StrCat("open a kernel: ", status.message())});
  }
  const Reply reply = Command({.kind = WorkerCommandKind::kOpen}, kOpenTimeout, "open", &spec, fds);
  if (!reply.failure) return std::nullopt;
  return Failure{v1::OUTCOME_DEVICE_ERROR, absl::StrCat("open a kernel: ", reply.failure->detail)};
}

std::optional<uint64_t> WorkerHandle::Close() {
  cancelled_ = nullptr;
  if (!id_) return std::nullopt;
  const Reply reply = Command({.kind = WorkerCommandKind::kClose}, kCloseTimeout, "close");
  manifest_ = nullptr;
  if (reply.failure) return std::nullopt;
  return reply.amount - std::min(reply.amount, mapped_bytes_);
}

Failure WorkerHandle::Explain(const WorkerReport& trap, const char* phase) const {
  switch (trap.kind) {
    case WorkerReportKind::kForbidden:
      return {v1::OUTCOME_FORBIDDEN, absl::StrCat("forbidden system call ", trap.code, " in ", phase)};
    case WorkerReportKind::kNoMemory:
      return {v1::OUTCOME_OUT_OF_MEMORY, absl::StrCat("an allocation of ", trap.amount, " bytes in ", phase,
                                                      " went over the limit of ", memory_limit_bytes_)};
    default:
      return {v1::OUTCOME_CRASHED, absl::StrCat(common::SignalName(trap.code), " in ", phase, Place(trap, *manifest_))};
  }
}

Failure WorkerHandle::Ended(const char* phase) {
  const absl::StatusOr<WorkerEnd> end = zygote_->Reap(*id_, kDyingGrace);
  id_.reset();
  if (!end.ok()) return {v1::OUTCOME_DEVICE_ERROR, std::string(end.status().message())};
  if (end->killed) return {v1::OUTCOME_FORBIDDEN, absl::StrCat("the kernel cut the worker's connection in ", phase)};
  if (WIFEXITED(end->status)) {
    return {v1::OUTCOME_EXITED,
            absl::StrCat("the kernel ended its process with status ", WEXITSTATUS(end->status), " in ", phase)};
  }
  switch (const int signal = WTERMSIG(end->status); signal) {
    case SIGSYS:
      return {v1::OUTCOME_FORBIDDEN, absl::StrCat("a forbidden system call in ", phase)};
    case SIGKILL:
      return {v1::OUTCOME_OUT_OF_MEMORY, absl::StrCat("killed by the operating system in ", phase)};
    case SIGXCPU:
      return {v1::OUTCOME_TIMED_OUT, absl::StrCat("the limit of processor time was reached in ", phase)};
    default:
      return {v1::OUTCOME_CRASHED, absl::StrCat(common::SignalName(signal), " in ", phase)};
  }
}

absl::Status WorkerHandle::Receive(WorkerReport* report, absl::Duration timeout) const {
  if (!cancelled_) return ReceivePacket(socket_.get(), report, timeout);
  const absl::Time deadline = common::MonotonicClock().Now() + timeout;
  while (true) {
    if (cancelled_()) return absl::CancelledError("given up");
    const absl::Duration left = deadline - common::MonotonicClock().Now();
    const absl::Status status =
        ReceivePacket(socket_.get(), report, std::max(std::min(left, kGlance), absl::ZeroDuration()));
    if (!absl::IsDeadlineExceeded(status) || left <= kGlance) return status;
  }
}

WorkerHandle::Reply WorkerHandle::Command(WorkerCommand command, absl::Duration timeout, const char* phase,
                                          const KernelSpec* kernel, std::span<const int> fds) {
  TF_CHECK(id_.has_value(), "the worker is gone");
  command.serial = ++serial_;
  const absl::Time begin = common::MonotonicClock().Now();
  WorkerReport report;
  absl::Status status = SendPacket(socket_.get(), command);
  if (status.ok() && kernel != nullptr) status = SendPacket(socket_.get(), *kernel, fds);
  // The worker's last word may still be unread when it is already gone.
  if (status.ok() || absl::IsUnavailable(status)) status = Receive(&report, timeout);
  const absl::Duration passed = common::MonotonicClock().Now() - begin;
  const auto failed = [&](v1::Outcome outcome, std::string detail) {
    Reply reply;
    reply.failure = Kill({outcome, std::move(detail)});
    return reply;
  };
  if (absl::IsCancelled(status)) return failed(v1::OUTCOME_CANCELLED, absl::StrCat("cancelled in ", phase));
  if (absl::IsDeadlineExceeded(status)) {
    return failed(v1::OUTCOME_TIMED_OUT,
                  absl::StrCat("no answer within ", absl::FormatDuration(timeout), " in ", phase));
  }
  if (!status.ok()) {
    Reply reply;
    reply.failure = Ended(phase);
    return reply;
  }
  if (report.serial != serial_) {
    return failed(v1::OUTCOME_CRASHED, absl::StrCat("a report that was not asked for came in ", phase));
  }
  switch (report.kind) {
    case WorkerReportKind::kDone: {
      if (!IsPossible(command, report, passed)) {
        return failed(v1::OUTCOME_CRASHED, absl::StrCat("an impossible time was reported in ", phase));
      }
      if (report.code != 0) {
        return failed(v1::OUTCOME_CRASHED, absl::StrCat("the kernel returned ", report.code, " in ", phase));
      }
      return {.failure = std::nullopt,
              .elapsed = absl::Nanoseconds(report.elapsed_ns),
              .seen = passed,
              .preemptions = report.preemptions,
              .sentinel = absl::Nanoseconds(report.sentinel_ns),
              .units = absl::Nanoseconds(report.units_ns),
              .amount = report.amount};
    }
    case WorkerReportKind::kFailed:
      report.text[sizeof(report.text) - 1] = '\0';
      return failed(v1::OUTCOME_LOAD_FAILED, absl::StrCat(phase, ": ", report.text));
    default: {
      Failure failure = Explain(report, phase);
      return failed(failure.outcome, std::move(failure.detail));
    }
  }
}

WorkerHandle::Reply WorkerHandle::Load(bool has_prepare, absl::Duration timeout) {
  return Command({.kind = WorkerCommandKind::kLoad, .has_prepare = has_prepare ? 1u : 0u}, timeout, "load");
}

WorkerHandle::Reply WorkerHandle::Prepare(uint32_t set, absl::Duration timeout) {
  return Command({.kind = WorkerCommandKind::kPrepare, .set = set}, timeout, "prepare");
}

WorkerHandle::Reply WorkerHandle::RunOnce(uint32_t set, absl::Duration timeout) {
  return Command({.kind = WorkerCommandKind::kRun, .set = set, .runs = 1}, timeout, "run");
}

WorkerHandle::Reply WorkerHandle::RunTimed(uint32_t set, uint32_t runs, RunMode mode, ReadingBand usual_units,
                                           absl::Duration timeout) {
  return Command(
      {.kind = WorkerCommandKind::kRun, .set = set, .runs = runs, .timed = 1, .mode = mode, .usual_units = usual_units},
      timeout, "run");
}

WorkerHandle::Reply WorkerHandle::RunSentinel() {
  return Command({.kind = WorkerCommandKind::kSentinel}, kSentinelTimeout, "sentinel");
}

}  // namespace tunefleet::device
