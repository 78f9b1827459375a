#include "tests/tuner/pipeline/fake_fleet.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/digest.h"
#include "tests/tuner/search/fake_space.h"

namespace tunefleet::tuner {

using common::MutexLock;

std::vector<int64_t> ValuesOf(const std::string& code) {
  std::vector<int64_t> values;
  for (const absl::string_view part : absl::StrSplit(code.substr(code.find(':') + 1), ',')) {
    int64_t value = -1;
    if (absl::SimpleAtoi(part, &value)) values.push_back(value);
  }
  return values;
}

absl::Status FakeFleet::Provide(const std::string& digest, const std::string& bytes) {
  if (common::Sha256(bytes) != digest) return absl::DataLossError("blob does not match its digest");
  MutexLock lock(&mutex_);
  blobs_[digest] = bytes;
  return absl::OkStatus();
}

absl::Status FakeFleet::Submit(const v1::Trial& trial) {
  MutexLock lock(&mutex_);
  for (const v1::Kernel& kernel : trial.kernels()) {
    if (!blobs_.contains(kernel.manifest().code_digest())) return absl::InternalError("code was not provided");
    for (const v1::OutputCheck& check : kernel.checks()) {
      if (!blobs_.contains(check.reference_digest())) return absl::InternalError("reference was not provided");
    }
  }
  if (!known_.insert(trial.trial_id()).second) return absl::OkStatus();
  accepted_.push_back(trial);
  queue_.push_back(trial);
  max_waiting_ = std::max(max_waiting_, static_cast<int>(queue_.size()));
  return absl::OkStatus();
}

void FakeFleet::RunOne() {
  std::uniform_int_distribution<size_t> any(0, queue_.size() - 1);
  const auto chosen = queue_.begin() + static_cast<std::ptrdiff_t>(any(random_));
  const v1::Trial trial = *chosen;
  queue_.erase(chosen);
  ++runs_[trial.trial_id()];
  v1::TrialResult result;
  result.set_trial_id(trial.trial_id());
  result.set_outcome(v1::OUTCOME_OK);
  for (const v1::Kernel& kernel : trial.kernels()) {
    const std::string& code = blobs_[kernel.manifest().code_digest()];
    if (trial.kernels_size() == 1) searched_.push_back(code);
    const FakeVerdict verdict = device_(code);
    if (verdict.outcome != v1::OUTCOME_OK) result.set_outcome(verdict.outcome);
    result.set_detail(verdict.detail);
    v1::KernelResult& timing = *result.add_kernels();
    timing.set_code_digest(kernel.manifest().code_digest());
    timing.set_latency_ns(verdict.latency_ns);
    timing.set_censored(verdict.censored);
    if (result.kernels_size() > 1 && verdict.verdict != v1::VERDICT_UNSPECIFIED) {
      timing.mutable_comparison()->set_verdict(verdict.verdict);
      timing.mutable_comparison()->set_ratio(verdict.ratio);
    }
  }
  if (result.outcome() != v1::OUTCOME_OK) result.clear_kernels();
  results_.push_back(result);
}

std::optional<FinishedTrial> FakeFleet::Work(uint64_t after) {
  MutexLock lock(&mutex_);
  for (uint64_t work = random_() % 3; work > 0 && !queue_.empty(); --work) RunOne();
  after = std::max(after, acknowledged_);
  if (after >= results_.size()) return std::nullopt;
  return FinishedTrial{.cursor = after + 1, .result = results_[after]};
}

void FakeFleet::Acknowledge(uint64_t cursor) {
  MutexLock lock(&mutex_);
  for (; acknowledged_ < cursor; ++acknowledged_) known_.erase(results_.at(acknowledged_).trial_id());
}

bool FakeFleet::Holds(const std::string& digest) const {
  MutexLock lock(&mutex_);
  return blobs_.contains(digest);
}
std::map<std::string, int> FakeFleet::runs_by_trial() const {
  MutexLock lock(&mutex_);
  return runs_;
}
std::vector<std::string> FakeFleet::searched_codes() const {
  MutexLock lock(&mutex_);
  return searched_;
}
std::vector<v1::Trial> FakeFleet::accepted() const {
  MutexLock lock(&mutex_);
  return accepted_;
}
int FakeFleet::waiting() const {
  MutexLock lock(&mutex_);
  return static_cast<int>(queue_.size());
}
int FakeFleet::max_waiting() const {
  MutexLock lock(&mutex_);
  return max_waiting_;
}
uint64_t FakeFleet::acknowledged() const {
  MutexLock lock(&mutex_);
  return acknowledged_;
}

uint64_t FakeFleet::last() const {
  MutexLock lock(&mutex_);
  return results_.size();
}

absl::Status FakeRunner::Open() {
  MutexLock lock(&mutex_);
  return closed_ ? absl::CancelledError("closed") : absl::OkStatus();
}

absl::Status FakeRunner::Provide(const std::string& digest, const std::string& bytes) {
  const absl::Status open = Open();
  return open.ok() ? fleet_->Provide(digest, bytes) : open;
}

absl::Status FakeRunner::Submit(const v1::Trial& trial) {
  absl::Status status = Open();
  if (status.ok()) status = fleet_->Submit(trial);
  MutexLock lock(&mutex_);
  submitted_ = true;
  wake_.SignalAll();
  return status;
}

absl::StatusOr<std::optional<FinishedTrial>> FakeRunner::Next(absl::Duration timeout) {
  uint64_t after = 0;
  {
    MutexLock lock(&mutex_);
    if (stuck_ && !closed_) wake_.WaitWithTimeout(&mutex_, timeout);
    if (closed_) return absl::CancelledError("closed");
    if (stuck_) return std::nullopt;
    if (random_() % 8 == 0) position_ = fleet_->acknowledged();  // delivers again what is not acknowledged
    after = position_;
  }
  std::optional<FinishedTrial> finished = fleet_->Work(after);
  MutexLock lock(&mutex_);
  if (!finished.has_value()) {
    if (fleet_->waiting() == 0 && !submitted_ && !closed_) wake_.WaitWithTimeout(&mutex_, timeout);
    submitted_ = false;
    return std::nullopt;
  }
  position_ = finished->cursor;
  return finished;
}

absl::Status FakeRunner::Acknowledge(uint64_t cursor) {
  const absl::Status open = Open();
  if (open.ok()) fleet_->Acknowledge(cursor);
  return open;
}

bool FakeRunner::HasBacklog() {
  MutexLock lock(&mutex_);
  return position_ < backlog_;
}

void FakeRunner::Close() {
  MutexLock lock(&mutex_);
  closed_ = true;
  wake_.SignalAll();
}

void FakeRunner::set_stuck(bool stuck) {
  MutexLock lock(&mutex_);
  stuck_ = stuck;
}

v1::BuildResponse FakeBuilder::Build(const v1::BuildRequest& request) {
  v1::BuildResponse response;
  const auto& values = request.schedule().calls(0).arguments(0).ints().values();
  const std::string code = absl::StrCat(request.pass_pipeline(), ":", absl::StrJoin(values, ","));
  response.set_outcome(verdict_ == nullptr ? v1::OUTCOME_OK : verdict_(code));
  if (response.outcome() != v1::OUTCOME_OK) {
    response.set_detail(absl::StrCat("cannot build ", code));
    return response;
  }
  response.set_code(code);
  v1::ArtifactManifest& manifest = *response.mutable_manifest();
  manifest.set_code_digest(common::Sha256(code));
  manifest.set_pass_pipeline(request.pass_pipeline());
  manifest.set_codegen("fake/1");
  for (const char* name : {"out", "packed", "w", "a"}) manifest.add_buffers()->set_name(name);
  return response;
}

TuningTask MakeFakeTask() {
  TuningTask task;
  task.name = "fake.T1";
  task.identity.workload_key = "fake(t=1)";
  for (const char* name : {"a", "w", "out"}) task.identity.workload.add_tensors()->set_name(name);
  task.identity.target.set_triple("x86_64-linux-gnu");
  task.identity.device_class = "desk";
  task.flops = 2000;
  task.spaces.push_back(MakeGridSpace("grid", {8, 8, 8}));
  for (uint32_t tensor : {0u, 1u}) {
    v1::BufferFill& fill = task.reference.fills.emplace_back();
    fill.set_buffer(tensor);
    fill.set_seed(100 + tensor);
  }
  task.reference.outputs.push_back("expected bytes");
  v1::OutputCheck& check = task.reference.checks.emplace_back();
  check.set_buffer(2);
  check.set_reference_digest(common::Sha256("expected bytes"));
  return task;
}

}  // namespace tunefleet::tuner
