#include "tuner/pipeline/trial_ledger.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/proto_time.h"
#include "common/status_macros.h"
#include "tuner/pipeline/make_trial.h"

namespace tunefleet::tuner {
namespace {

using common::MutexLock;

std::vector<BuiltCandidate> WithoutCode(std::vector<BuiltCandidate> kernels) {
  for (BuiltCandidate& built : kernels) std::string().swap(built.code);
  return kernels;
}

// What speaks for a kernel, the smaller the better. Trusted results come before censored ones. Where kernels were
// compared pair by pair, the pairs' ratio counts, and one that was not found to be faster never replaces the first.
std::tuple<bool, double, uint64_t> Rank(const v1::KernelResult& kernel, bool compared) {
  const bool untrusted = kernel.censored() || kernel.latency_ns() == 0;
  if (!compared) return {untrusted, 1, kernel.latency_ns()};
  const v1::Comparison& comparison = kernel.comparison();
  if (!kernel.has_comparison()) return {untrusted, 1, 0};
  const bool not_faster = comparison.verdict() == v1::VERDICT_SAME || comparison.verdict() == v1::VERDICT_SLOWER;
  return {untrusted, not_faster ? std::max(1.0, comparison.ratio()) : comparison.ratio(), 1};
}

// Puts the fastest kernel's result in front and returns the kernel's index.
int FastestToFront(v1::TrialResult* result) {
  if (result->outcome() != v1::OUTCOME_OK) return 0;
  const bool compared = std::any_of(result->kernels().begin(), result->kernels().end(),
                                    [](const v1::KernelResult& kernel) { return kernel.has_comparison(); });
  int fastest = 0;
  for (int i = 1; i < result->kernels_size(); ++i) {
    if (Rank(result->kernels(i), compared) < Rank(result->kernels(fastest), compared)) fastest = i;
  }
  if (fastest > 0) result->mutable_kernels()->SwapElements(0, fastest);
  return fastest;
}

}  // namespace

TrialLedger::TrialLedger(const TuningTask* task, Job job, RecordStamp stamp, Runner* runner, Database* database,
                         ProgressMeter* meter)
    : task_(task),
      job_(std::move(job)),
      stamp_(std::move(stamp)),
      runner_(runner),
      database_(database),
      meter_(meter),
      next_number_(job_.next_trial) {}

uint64_t TrialLedger::NextNumber() {
  MutexLock lock(&mutex_);
  return next_number_++;
}

void TrialLedger::Expect(uint64_t number, TrialStage stage, const std::vector<BuiltCandidate>& kernels) {
  MutexLock lock(&mutex_);
  in_flight_[number] = {.stage = stage, .kernels = WithoutCode(kernels)};
  meter_->SetInFlight(static_cast<int>(in_flight_.size()));
  changed_.SignalAll();
}

std::optional<TrialLedger::Entry> TrialLedger::Find(uint64_t number) {
  MutexLock lock(&mutex_);
  const auto found = in_flight_.find(number);
  if (found == in_flight_.end()) return std::nullopt;
  return found->second;
}

void TrialLedger::Remove(uint64_t number) {
  MutexLock lock(&mutex_);
  in_flight_.erase(number);
  meter_->SetInFlight(static_cast<int>(in_flight_.size()));
  changed_.SignalAll();
}

absl::StatusOr<std::optional<StoredRecord>> TrialLedger::Submit(TrialStage stage,
                                                                const std::vector<BuiltCandidate>& kernels,
                                                                const v1::MeasureOptions& options) {
  PendingTrial pending{.number = NextNumber(), .stage = stage};
  for (const BuiltCandidate& built : kernels) {
    pending.kernels.push_back({.config = built.config, .pass_pipeline = built.pass_pipeline});
  }
  TF_RETURN_IF_ERROR(database_->AddPending(job_.job_id, pending));
  return Hand(pending.number, stage, kernels, options);
}

absl::StatusOr<std::optional<StoredRecord>> TrialLedger::SubmitAgain(uint64_t number,
                                                                     const std::vector<BuiltCandidate>& kernels,
                                                                     const v1::MeasureOptions& options) {
  const std::optional<Entry> entry = Find(number);
  if (!entry.has_value()) return std::nullopt;
  return Hand(number, entry->stage, kernels, options);
}

absl::StatusOr<std::optional<StoredRecord>> TrialLedger::Hand(uint64_t number, TrialStage stage,
                                                              const std::vector<BuiltCandidate>& kernels,
                                                              const v1::MeasureOptions& options) {
  Expect(number, stage, kernels);  // before the runner can have its result
  const auto trial = MakeTrial(*task_, TrialId(job_.job_id, number), kernels, options);
  absl::Status status = trial.status();
  for (const BuiltCandidate& built : kernels) {
    if (status.ok()) status = runner_->Provide(built.manifest.code_digest(), built.code);
  }
  if (status.ok()) status = runner_->Submit(*trial);
  if (status.ok()) return std::nullopt;
  if (status.code() != absl::StatusCode::kInvalidArgument && trial.ok()) return status;
  return GiveUp(number, v1::OUTCOME_REFUSED, status.ToString());
}

absl::StatusOr<StoredRecord> TrialLedger::RecordUnbuilt(const BuiltCandidate& built) {
  v1::TrialResult result;
  result.set_outcome(built.outcome);
  result.set_detail(built.detail);
  const uint64_t number = NextNumber();
  TF_ASSIGN_OR_RETURN(std::optional<StoredRecord> record,
                      Append(number, TrialStage::kSearch, built, std::move(result), /*cursor=*/0));
  if (record.has_value()) return *std::move(record);
  return absl::InternalError(absl::StrCat("trial number ", number, " was used twice"));
}

absl::StatusOr<std::optional<StoredRecord>> TrialLedger::GiveUp(uint64_t number, v1::Outcome outcome,
                                                                const std::string& detail) {
  const std::optional<Entry> entry = Find(number);
  if (!entry.has_value()) return std::nullopt;
  v1::TrialResult result;
  result.set_outcome(outcome);
  result.set_detail(detail);
  auto record = Append(number, entry->stage, entry->kernels.front(), std::move(result), /*cursor=*/0);
  if (record.ok()) Remove(number);
  return record;
}

absl::StatusOr<std::optional<StoredRecord>> TrialLedger::Take(const FinishedTrial& finished) {
  absl::string_view suffix = finished.result.trial_id();
  uint64_t number = 0;
  std::optional<Entry> entry;
  if (absl::ConsumePrefix(&suffix, absl::StrCat(job_.job_id, ".")) && absl::SimpleAtoi(suffix, &number)) {
    entry = Find(number);
  }
  std::optional<StoredRecord> record;
  if (entry.has_value()) {
    v1::TrialResult result = finished.result;
    const size_t fastest = FastestToFront(&result);
    const BuiltCandidate& built = entry->kernels[std::min(fastest, entry->kernels.size() - 1)];
    TF_ASSIGN_OR_RETURN(record, Append(number, entry->stage, built, std::move(result), finished.cursor));
    Remove(number);
  } else {
    spdlog::debug("result {} of trial {} was delivered before", finished.cursor, finished.result.trial_id());
  }
  TF_RETURN_IF_ERROR(runner_->Acknowledge(finished.cursor));
  return record;
}

absl::StatusOr<std::optional<StoredRecord>> TrialLedger::Append(uint64_t number, TrialStage stage,
                                                                const BuiltCandidate& built, v1::TrialResult result,
                                                                uint64_t cursor) {
  StoredRecord stored{.stage = stage, .record = MakeRecord(number, built, std::move(result))};
  TF_ASSIGN_OR_RETURN(const bool added, database_->Append(stored.record, stage, cursor));
  if (!added) return std::nullopt;
  meter_->Recorded(stored.record, stage);
  return stored;
}

v1::TuningRecord TrialLedger::MakeRecord(uint64_t number, const BuiltCandidate& built, v1::TrialResult result) const {
  v1::TuningRecord record;
  record.set_trial_id(TrialId(job_.job_id, number));
  record.set_job_id(job_.job_id);
  *record.mutable_workload() = task_->identity.workload;
  *record.mutable_target() = task_->identity.target;
  *record.mutable_config() = built.config;
  *record.mutable_schedule() = built.schedule;
  record.set_nest_digest(built.nest_digest);
  record.set_codegen(built.manifest.codegen());
  record.set_pass_pipeline(built.pass_pipeline);
  record.set_device_class(task_->identity.device_class);
  record.set_seed(stamp_.seed);
  record.set_strategy(stamp_.strategy);
  result.set_trial_id(record.trial_id());
  *record.mutable_result() = std::move(result);
  *record.mutable_recorded_at() = common::TimestampToProto(absl::Now());  // the wall clock: for people
  return record;
}

int TrialLedger::InFlight() {
  MutexLock lock(&mutex_);
  return static_cast<int>(in_flight_.size());
}

bool TrialLedger::WaitForRoom(int window) {
  MutexLock lock(&mutex_);
  while (!woken_ && static_cast<int>(in_flight_.size()) >= window) changed_.Wait(&mutex_);
  return !woken_;
}

void TrialLedger::Wake() {
  MutexLock lock(&mutex_);
  woken_ = true;
  changed_.SignalAll();
}

}  // namespace tunefleet::tuner
