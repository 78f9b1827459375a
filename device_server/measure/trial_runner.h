// Carries out trials on one device: the one place where a Trial becomes a TrialResult.
//
// It never fails: whatever goes wrong is an outcome of the trial. It owns the zygote, the workers and the cached
// inputs. The caller holds the lock on the device's cores (core_lock.h). The device's control thread owns it; Abort
// alone may be called from any thread.
#ifndef TUNEFLEET_DEVICE_SERVER_MEASURE_TRIAL_RUNNER_H_
#define TUNEFLEET_DEVICE_SERVER_MEASURE_TRIAL_RUNNER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/random/random.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/turns.h"
#include "device_server/measure/blob_source.h"
#include "device_server/measure/device_references.h"
#include "device_server/measure/drift_tracker.h"
#include "device_server/measure/fill_cache.h"
#include "device_server/measure/kernel_session.h"
#include "device_server/measure/telemetry.h"
#include "device_server/measure/usual_reading.h"
#include "device_server/measure/worker_pool.h"
#include "device_server/sandbox/zygote.h"
#include "proto/measurement.pb.h"

namespace tunefleet::device {

class TrialRunner {
 public:
  struct Options {
    std::string program;                     // the agent's executable: started as zygote
    std::vector<std::string> emulator = {};  // that the agent runs on, with its options; empty: none
    std::vector<uint16_t> cores;  // that the device offers; kernels are pinned to the first options.threads of them
    WorkerLifetime worker_lifetime = WorkerLifetime::kCandidate;
    uint64_t private_cache_bytes = 0;  // of a core; 0: unknown
    uint64_t last_cache_bytes = 0;
    uint64_t fill_cache_bytes = uint64_t{1} << 30;
    std::string meminfo = "/proc/meminfo";  // what tells how much memory is left
    std::string turns_file;  // shared with builders on the same cores (common/turns.h); empty: they have others
    std::string device_id;
    std::string device_fingerprint;
    std::string agent_version;
  };

  // Starts the zygote and one probe worker, to learn what the sandbox enforces. Errors: UNAVAILABLE,
  // FAILED_PRECONDITION (the turns file).
  static absl::StatusOr<std::unique_ptr<TrialRunner>> Create(Options options);

  // What a trial is given besides itself.
  struct Call {
    const v1::Trial& trial;
    const BlobSource& blobs;          // holds all BlobsOf(trial)
    absl::Duration time_limit;        // of the whole trial; infinite: the trial's own limits alone
    std::function<bool()> cancelled;  // asked between samples and while a reference runs, from the calling thread;
                                      // true: the result is CANCELLED
  };
  v1::TrialResult Run(const Call& call);

  // Starts and confines a worker that loads nothing: whether trials can be carried out. Errors: UNAVAILABLE.
  absl::Status Probe();

  // Ends the trial under way, whatever its kernel does; it and every later one is a DEVICE_ERROR.
  void Abort() { zygote_->Abort(); }
  // Ends the workers and the zygote: the owner's last call, from the thread that called Run.
  void End();

  // SandboxBits in force for workers.
  uint32_t sandbox() const { return sandbox_; }
  const Zygote& zygote() const { return *zygote_; }
  // The rank that workers get where their threads leave a core free.
  Scheduling scheduling() const { return scheduling_; }
  const TelemetryReader& telemetry() const { return telemetry_; }

 private:
  explicit TrialRunner(Options options);
  std::optional<Failure> Measure(const Call& call, const v1::MeasureOptions& measure, PhaseTimes* times,
                                 v1::TrialResult* result);
  // Of each kernel, in time of their own.
  std::optional<Failure> ComputeReferences(const Call& call, const v1::MeasureOptions& measure,
                                           const KernelSession::Environment& kernels,
                                           const std::function<bool()>& cancelled,
                                           std::vector<KernelSession::References>* references);
  bool LeavesACore(uint32_t threads) const;

  const Options options_;
  const size_t usable_cores_;
  std::optional<common::Turns> turns_;
  const TelemetryReader telemetry_;
  const MachineMemory memory_;
  FillCache fills_;
  DeviceReferences references_;
  DriftTracker drift_;
  UsualReading usual_units_;  // of Sample.units_ns
  absl::BitGen random_;
  std::unique_ptr<Zygote> zygote_;
  std::optional<WorkerPool> workers_;  // of the zygote
  uint32_t sandbox_ = 0;
  Scheduling scheduling_ = Scheduling::kNormal;
};

// "kernel 3: what happened" cut to what a result may carry, on one line.
std::string OneLine(std::string text);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_MEASURE_TRIAL_RUNNER_H_
