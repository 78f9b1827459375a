// One kernel of a trial on its way through a worker: buffers, load, prepare, a verified first run, samples, a verified
// last run. The supervisor owns the buffers and judges the outputs; the worker only runs.
//
// Calls come in the order Open (a reference: OpenUnjudged, Written), Sample any number of times, VerifyOutputs, Close.
// After a failure no call may follow. Not thread-safe.
#ifndef TUNEFLEET_DEVICE_SERVER_MEASURE_KERNEL_SESSION_H_
#define TUNEFLEET_DEVICE_SERVER_MEASURE_KERNEL_SESSION_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "device_server/measure/blob_source.h"
#include "device_server/measure/buffer_file.h"
#include "device_server/measure/fill_cache.h"
#include "device_server/measure/machine_memory.h"
#include "device_server/measure/time_check.h"
#include "device_server/measure/usual_reading.h"
#include "device_server/measure/worker_handle.h"
#include "device_server/measure/worker_pool.h"
#include "proto/measurement.pb.h"

namespace tunefleet::device {

// Where a trial's time went.
struct PhaseTimes {
  absl::Duration load;  // buffers, fork, confinement, load
  absl::Duration prepare;
  absl::Duration run;
  absl::Duration verify;
};

class KernelSession {
 public:
  // What the outputs must be, by name, for checks without a reference_digest.
  struct References {
    std::map<std::string, Blob> outputs;
    std::map<std::string, Blob> second_outputs;  // of the second fills
  };

  // What sessions borrow; all of it outlives them.
  struct Environment {
    WorkerPool* workers = nullptr;
    FillCache* fills = nullptr;
    const MachineMemory* memory = nullptr;
    const BlobSource* blobs = nullptr;
    std::vector<uint16_t> cores;
    bool real_time = false;            // workers may keep their cores from everything else
    ReadingBand usual_units;           // of the core, before a sample
    uint64_t private_cache_bytes = 0;  // what a run leaves in a core's own caches fits here
    uint64_t last_cache_bytes = 0;
    absl::Time deadline;  // of the whole trial
    PhaseTimes* times = nullptr;
    const References* references = nullptr;
    std::function<bool()> cancelled = nullptr;  // as WorkerHandle::set_cancelled; empty: never
  };

  // `kernel` passed CheckTrial and outlives the session; `options` have their defaults.
  KernelSession(const Environment& environment, const v1::Kernel& kernel, const v1::MeasureOptions& options);
  ~KernelSession();  // without Close its worker ends
  KernelSession(const KernelSession&) = delete;
  KernelSession& operator=(const KernelSession&) = delete;

  // Everything up to the first timed run: the kernel is loaded, prepared, verified once (on second fills too) and warm.
  std::optional<Failure> Open();

  // The part of Open up to the first run, whose outputs are not judged: all that a reference takes. Written and Close
  // alone may follow.
  std::optional<Failure> OpenUnjudged();

  // One run that counts nowhere.
  std::optional<Failure> WarmUp();

  // `runs` runs in a row; sets total_ns, runs and preemptions. `expected` is an estimate of their time, for the limit.
  std::optional<Failure> Sample(uint32_t runs, absl::Duration expected, v1::Sample* sample);

  // Judges what the kernel writes after its last sample: that of a few more runs on poisoned outputs, and with it
  // whether its times can be true (time_check.h). A `censored` kernel's times are no good to it: what its last run
  // wrote is judged; where runs rotate through copies, that of one more.
  std::optional<Failure> VerifyOutputs(bool censored);

  // The kernel has come to a clean end: its worker may take another.
  void Close();

  // The sentinel on the kernel's core: what it took before the kernel was loaded (0: never started), and what it takes
  // now.
  uint64_t sentinel_before_ns() const { return sentinel_before_ns_; }
  std::optional<Failure> RunSentinel(uint64_t* reading_ns);

  // That its worker had before.
  uint32_t earlier_kernels() const { return worker_kernels_; }

  Scheduling scheduling() const { return scheduling_; }

  // What the first run wrote to an output.
  std::string Written(uint32_t buffer) const;

  // Sets code_digest, worker_kernels and the errors found.
  void Report(v1::KernelResult* result) const;

 private:
  using BufferSet = std::vector<std::shared_ptr<BufferFile>>;  // in the manifest's order

  absl::Status MakeBuffers();
  absl::Status MakeSecondSet();
  // The blob of the digest, or where there is none the device's own.
  absl::StatusOr<Blob> GetReference(const v1::OutputCheck& check, const std::string& digest,
                                    std::map<std::string, Blob> References::*own) const;
  WorkerSpec MakeWorkerSpec() const;
  // Appends the buffer files to `fds`.
  KernelSpec MakeKernelSpec(std::vector<int>* fds) const;
  std::optional<Failure> OpenInWorker();
  std::optional<Failure> Prepare(uint32_t set);
  std::optional<Failure> RunOnce(uint32_t set);
  // On poisoned outputs, which are judged.
  std::optional<Failure> RunJudged();
  uint32_t CopiesToRotate() const;
  uint64_t EvictionBytes() const;
  uint64_t SetBytes() const;
  // All memory that opening it will take, here and in the worker.
  uint64_t BytesToMake() const;
  v1::BufferSpec WorkspaceSpec() const;
  bool HasTwoLayouts() const;
  std::vector<const v1::BufferFill*> FillOfEachBuffer() const;  // null: it has none
  void PoisonOutputs(uint32_t set);
  std::optional<Failure> Verify(uint32_t set);
  absl::Duration Limit(absl::Duration timeout) const;

  uint32_t timed_set() const { return static_cast<uint32_t>(sets_.size()) - 1; }

  const Environment environment_;
  const v1::Kernel& kernel_;
  const v1::MeasureOptions& options_;
  // [0] ends at guard pages; with second fills, [1] is the same with those; the last, which is timed, starts at guard
  // pages where that differs.
  std::vector<BufferSet> sets_;
  std::unique_ptr<BufferFile> workspace_;
  std::vector<Blob> references_;         // in the order of kernel_.checks()
  std::vector<Blob> second_references_;  // the same; empty without second fills
  std::unique_ptr<WorkerPool::Worker> worker_;
  const RunMode mode_;
  std::optional<TimeCheck> time_check_;  // once the worker is there
  uint32_t worker_kernels_ = 0;
  Scheduling scheduling_ = Scheduling::kNormal;
  uint64_t sentinel_before_ns_ = 0;
  double max_error_ = 0;
  double max_error_ratio_ = 0;
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_MEASURE_KERNEL_SESSION_H_
