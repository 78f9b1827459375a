// The supervisor's view of one worker: commands with time limits, and a typed outcome when the kernel misbehaves.
//
// Start comes first; then, for one kernel after the other: Open, Load, the rest, Close. Not thread-safe. After a
// failure the worker is gone and reaped, and no further command may be given. The destructor returns when the worker is
// reaped.
#ifndef TUNEFLEET_DEVICE_SERVER_MEASURE_WORKER_HANDLE_H_
#define TUNEFLEET_DEVICE_SERVER_MEASURE_WORKER_HANDLE_H_

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "device_server/measure/usual_reading.h"
#include "device_server/sandbox/wire.h"
#include "device_server/sandbox/zygote.h"
#include "device_server/worker/priority.h"
#include "proto/measurement.pb.h"

namespace tunefleet::device {

// Why a kernel got no timing.
struct Failure {
  v1::Outcome outcome = v1::OUTCOME_UNSPECIFIED;
  std::string detail;
  uint32_t earlier_kernels = 0;  // that its worker had before
};

class WorkerHandle {
 public:
  struct Reply {
    std::optional<Failure> failure;
    absl::Duration elapsed;    // as the worker measured it
    absl::Duration seen;       // as the supervisor did, from command to report
    uint32_t preemptions = 0;  // Run: involuntary context switches meanwhile
    absl::Duration sentinel;   // RunTimed: of the sentinel around it
    absl::Duration units;      // RunTimed: of the loop that keeps the units busy (worker/sentinel.h)
    uint64_t amount = 0;       // Close: bytes mapped
  };

  // `zygote` outlives the handle.
  explicit WorkerHandle(Zygote* zygote) : zygote_(zygote) {}
  ~WorkerHandle();
  WorkerHandle(const WorkerHandle&) = delete;
  WorkerHandle& operator=(const WorkerHandle&) = delete;

  // Forks the worker and waits until it is confined, by no less than its zygote is asked for.
  std::optional<Failure> Start(const WorkerSpec& spec);

  // Has the worker map a kernel's buffers. `fds`: the code, then the buffer files; the caller keeps its own copies.
  // `manifest` gives the buffers' names for messages and outlives the kernel.
  std::optional<Failure> Open(const KernelSpec& spec, std::span<const int> fds, const v1::ArtifactManifest& manifest);

  // Asked now and then while a command is under way, from the calling thread, until Close; true ends the worker,
  // CANCELLED. That disturbs what is timed.
  void set_cancelled(std::function<bool()> cancelled) { cancelled_ = std::move(cancelled); }

  // Errors of the artifact, a missing entry point among them, are LOAD_FAILED.
  Reply Load(bool has_prepare, absl::Duration timeout);
  Reply Prepare(uint32_t set, absl::Duration timeout);
  Reply RunOnce(uint32_t set, absl::Duration timeout);
  // Waits up to a millisecond, if need be, for the core to be in its usual state.
  Reply RunTimed(uint32_t set, uint32_t runs, RunMode mode, ReadingBand usual_units, absl::Duration timeout);
  // One reading of the sentinel (worker/sentinel.h). Needs no kernel.
  Reply RunSentinel();

  // Unloads the kernel. Gives the bytes of address space that the worker holds beyond a new one's; unset: it failed.
  std::optional<uint64_t> Close();

  // All the measures in force.
  uint32_t sandbox() const { return sandbox_; }
  Scheduling scheduling() const { return scheduling_; }

 private:
  // `kernel` and `fds` follow the command where it is kOpen.
  Reply Command(WorkerCommand command, absl::Duration timeout, const char* phase, const KernelSpec* kernel = nullptr,
                std::span<const int> fds = {});
  // Errors: CANCELLED, those of ReceivePacket.
  absl::Status Receive(WorkerReport* report, absl::Duration timeout) const;
  Failure Explain(const WorkerReport& trap, const char* phase) const;
  Failure Ended(const char* phase);
  Failure Kill(Failure failure);
  void Kill();

  Zygote* const zygote_;
  std::optional<WorkerId> id_;  // unset: gone and reaped
  UniqueFd socket_;
  uint32_t serial_ = 0;        // of the last command
  uint64_t mapped_bytes_ = 0;  // when it was new
  uint32_t sandbox_ = 0;
  Scheduling scheduling_ = Scheduling::kNormal;
  // Of the open kernel.
  const v1::ArtifactManifest* manifest_ = nullptr;
  uint64_t memory_limit_bytes_ = 0;
  std::function<bool()> cancelled_;
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_MEASURE_WORKER_HANDLE_H_
