// A fleet in memory that outlives its clients, as a tracker does: it owns every trial it accepted, runs each once,
// keeps results until they are acknowledged, and then forgets the trial. A builder and a task that go with it.
#ifndef TUNEFLEET_TESTS_TUNER_PIPELINE_FAKE_FLEET_H_
#define TUNEFLEET_TESTS_TUNER_PIPELINE_FAKE_FLEET_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "common/mutex.h"
#include "tuner/pipeline/builder.h"
#include "tuner/pipeline/runner.h"
#include "tuner/pipeline/tuning_task.h"

namespace tunefleet::tuner {

// The device's verdict on one kernel: `code` is "<pass pipeline>:<knob values, comma separated>".
struct FakeVerdict {
  v1::Outcome outcome = v1::OUTCOME_OK;
  uint64_t latency_ns = 1000;
  bool censored = false;
  std::string detail;
  v1::Verdict verdict = v1::VERDICT_UNSPECIFIED;  // against the trial's first kernel; unspecified: not compared
  double ratio = 1;
};
using FakeDevice = std::function<FakeVerdict(const std::string& code)>;

// Knob values of a code.
std::vector<int64_t> ValuesOf(const std::string& code);

// Thread-safe.
class FakeFleet {
 public:
  FakeFleet(FakeDevice device, uint64_t seed) : device_(std::move(device)), random_(seed) {}

  absl::Status Provide(const std::string& digest, const std::string& bytes);
  absl::Status Submit(const v1::Trial& trial);
  // Runs some trials, in any order, and returns the first result after the cursor, if there is one.
  std::optional<FinishedTrial> Work(uint64_t after);
  void Acknowledge(uint64_t cursor);

  bool Holds(const std::string& digest) const;
  std::map<std::string, int> runs_by_trial() const;
  // Codes of trials with one kernel, one entry per run.
  std::vector<std::string> searched_codes() const;
  std::vector<v1::Trial> accepted() const;
  int waiting() const;
  int max_waiting() const;
  uint64_t acknowledged() const;
  uint64_t last() const;

 private:
  void RunOne() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const FakeDevice device_;
  mutable common::Mutex mutex_;
  std::mt19937_64 random_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::string> blobs_ ABSL_GUARDED_BY(mutex_);
  std::vector<v1::Trial> accepted_ ABSL_GUARDED_BY(mutex_);
  std::deque<v1::Trial> queue_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> known_ ABSL_GUARDED_BY(mutex_);  // trials not yet forgotten
  std::vector<v1::TrialResult> results_ ABSL_GUARDED_BY(mutex_);
  uint64_t acknowledged_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, int> runs_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> searched_ ABSL_GUARDED_BY(mutex_);
  int max_waiting_ ABSL_GUARDED_BY(mutex_) = 0;
};

// One client of the fleet. Delivers results in order from the last acknowledged one on, and now and then again.
class FakeRunner : public Runner {
 public:
  FakeRunner(FakeFleet* fleet, uint64_t seed)
      : fleet_(fleet), random_(seed), backlog_(fleet->last()), position_(fleet->acknowledged()) {}

  absl::Status Provide(const std::string& digest, const std::string& bytes) override;
  absl::Status Submit(const v1::Trial& trial) override;
  absl::StatusOr<std::optional<FinishedTrial>> Next(absl::Duration timeout) override;
  absl::Status Acknowledge(uint64_t cursor) override;
  bool HasBacklog() override;
  double DeviceBusy() override { return 0.5; }
  void Close() override;

  // The device makes no progress until the runner is closed.
  void set_stuck(bool stuck);

 private:
  absl::Status Open();

  FakeFleet* const fleet_;
  common::Mutex mutex_;
  common::CondVar wake_;
  std::mt19937_64 random_ ABSL_GUARDED_BY(mutex_);
  const uint64_t backlog_;
  uint64_t position_ ABSL_GUARDED_BY(mutex_);
  bool submitted_ ABSL_GUARDED_BY(mutex_) = false;  // since the last look for results
  bool stuck_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

// Turns a schedule of a FakeSpace into code. `verdict` may refuse it; unset: all are built.
class FakeBuilder : public Builder {
 public:
  using Verdict = std::function<v1::Outcome(const std::string& code)>;
  explicit FakeBuilder(int parallelism = 2, Verdict verdict = nullptr)
      : parallelism_(parallelism), verdict_(std::move(verdict)) {}
  v1::BuildResponse Build(const v1::BuildRequest& request) override;
  int Parallelism() const override { return parallelism_; }

 private:
  const int parallelism_;
  const Verdict verdict_;
};

// Tensors a, w and out; a space of 8 * 8 * 8 configs.
TuningTask MakeFakeTask();

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TESTS_TUNER_PIPELINE_FAKE_FLEET_H_
