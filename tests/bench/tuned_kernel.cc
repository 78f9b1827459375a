#include "tests/bench/tuned_kernel.h"

#include <fstream>
#include <span>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "codegen/llvm/llvm_code_generator.h"
#include "codegen/operators/reference.h"
#include "codegen/operators/tolerance.h"
#include "codegen/operators/workload.h"
#include "common/child_process.h"
#include "common/fill.h"
#include "common/status_macros.h"
#include "device_server/describe/machine.h"
#include "device_server/verify/compare.h"
#include "tuner/builder/compile_candidate.h"
#include "tuner/database/sqlite_database.h"

namespace tunefleet::bench {
namespace {

constexpr uint64_t kSeed = 7;  // not the tuner's: other inputs than those it was verified on

absl::Status RunTuner(const SuiteEntry& entry, const TuneSettings& settings) {
  TF_ASSIGN_OR_RETURN(const std::string program, common::SiblingProgram("tunefleet"));
  common::ChildOptions options;
  options.arguments = {program,
                       "tune",
                       absl::StrCat("--op=", codegen::WorkloadKey(entry.workload)),
                       absl::StrCat("--trials=", settings.trials),
                       absl::StrCat("--threads=", settings.threads),
                       absl::StrCat("--records=", settings.records)};
  TF_ASSIGN_OR_RETURN(const pid_t pid, common::StartChild(options));
  TF_ASSIGN_OR_RETURN(const int status, common::WaitChild(pid, absl::InfiniteDuration()));
  if (status != 0) {
    return absl::InternalError(absl::StrCat("tune ", entry.name, ": ", common::DescribeWaitStatus(status)));
  }
  return absl::OkStatus();
}

// This machine, with as many threads as the tuner's device has; which cores does not matter.
v1::Target ThisMachine(int threads) { return device::DescribeTarget({0}, static_cast<uint32_t>(threads)); }

absl::StatusOr<std::optional<v1::TuningRecord>> BestRecordHere(const SuiteEntry& entry, const TuneSettings& settings,
                                                               int64_t trials) {
  const auto database = tuner::OpenSqliteDatabase(settings.records, tuner::DatabaseAccess::kRead);
  if (absl::IsNotFound(database.status())) return std::nullopt;
  TF_RETURN_IF_ERROR(database.status());
  return BestRecord(**database, entry.workload, ThisMachine(settings.threads), trials);
}

// Runs the kernel on the inputs and compares what it leaves in poisoned outputs.
absl::Status RunAndCompare(const SuiteEntry& entry, const std::vector<v1::BufferFill>& fills,
                           const std::vector<std::string>& outputs, const std::vector<v1::OutputCheck>& checks,
                           const tf_runtime* runtime, testing::LoadedKernel& kernel) {
  const auto bytes = [&](uint32_t tensor) {
    return kernel.bytes(kernel.Index(entry.workload.tensors(static_cast<int>(tensor)).name()));
  };
  for (const v1::BufferFill& fill : fills) TF_RETURN_IF_ERROR(common::FillBuffer(fill, bytes(fill.buffer())));
  for (const v1::OutputCheck& check : checks) device::Poison(check.dtype(), bytes(check.buffer()));
  if (kernel.Prepare(runtime) != 0 || kernel.Run(runtime) != 0)
    return absl::DataLossError(absl::StrCat(entry.name, ": the kernel failed"));
  for (size_t i = 0; i < checks.size(); ++i) {
    const device::Comparison found =
        device::Compare(bytes(checks[i].buffer()), std::as_bytes(std::span(outputs[i])), checks[i]);
    if (!found.pass) {
      return absl::DataLossError(absl::StrCat(entry.name, ": element ", found.first_wrong, " is ", found.value,
                                              ", expected ", found.reference));
    }
  }
  return absl::OkStatus();
}

absl::Status Verify(const SuiteEntry& entry, const std::string& implementation, const tf_runtime* runtime,
                    testing::LoadedKernel& kernel) {
  TF_ASSIGN_OR_RETURN(const codegen::Reference reference, codegen::ComputeReference(entry.workload, kSeed));
  TF_ASSIGN_OR_RETURN(const std::vector<v1::OutputCheck> checks,
                      codegen::ChecksFor(entry.workload, reference, implementation));
  TF_RETURN_IF_ERROR(RunAndCompare(entry, reference.fills, reference.outputs, checks, runtime, kernel));
  if (reference.second_outputs.empty()) return absl::OkStatus();
  return RunAndCompare(entry, reference.second_fills, reference.second_outputs, checks, runtime, kernel);
}

absl::StatusOr<v1::Workload> ParseLine(const std::string& line) {
  if (line.find('(') != std::string::npos) return codegen::ParseOperator(line);
  TF_ASSIGN_OR_RETURN(const auto named, codegen::FindWorkloads(line));
  if (named.size() != 1)
    return absl::InvalidArgumentError(absl::StrCat("'", line, "' is a network, expected one operator"));
  return named.front().workload;
}

}  // namespace

absl::StatusOr<std::vector<SuiteEntry>> ReadSuite(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrCat("suite file '", path, "' cannot be read"));
  // Layouts that a line leaves open are those of this machine, as the tuner's own device has them.
  const v1::Target target = ThisMachine(1);
  std::vector<SuiteEntry> entries;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    const std::string text(absl::StripAsciiWhitespace(line.substr(0, line.find('#'))));
    if (text.empty()) continue;
    absl::StatusOr<v1::Workload> workload = ParseLine(text);
    if (workload.ok()) workload = codegen::ResolveLayouts(*workload, target);
    if (workload.ok() && workload->tensors(0).dtype() != v1::DATA_TYPE_FLOAT32) {
      workload = absl::InvalidArgumentError("only float32 is compared with the libraries");
    }
    if (!workload.ok()) {
      return absl::Status(workload.status().code(), absl::StrCat(path, ":", number, ": ", workload.status().message()));
    }
    entries.push_back({text, *std::move(workload)});
  }
  return entries;
}

absl::StatusOr<std::optional<v1::TuningRecord>> BestRecord(tuner::Database& database, const v1::Workload& workload,
                                                           const v1::Target& target, int64_t trials) {
  const std::string key = codegen::WorkloadKey(workload);
  TF_ASSIGN_OR_RETURN(const auto tasks, database.Tasks(key));
  const tuner::TaskSummary* chosen = nullptr;
  for (const tuner::TaskSummary& task : tasks) {
    const std::string digest = tuner::TaskDigest(task.task);
    if (digest != tuner::TaskDigest({key, workload, target, task.task.device_class}) || task.trials < trials) continue;
    if (chosen == nullptr || task.trials > chosen->trials) chosen = &task;
  }
  if (chosen == nullptr) return std::nullopt;
  return database.Best(tuner::TaskDigest(chosen->task));
}

absl::Status Tune(const SuiteEntry& entry, const TuneSettings& settings) {
  TF_ASSIGN_OR_RETURN(const auto best, BestRecordHere(entry, settings, settings.trials));
  return best.has_value() ? absl::OkStatus() : RunTuner(entry, settings);
}

absl::StatusOr<std::unique_ptr<testing::LoadedKernel>> TunedKernel(const SuiteEntry& entry,
                                                                   const TuneSettings& settings,
                                                                   const tf_runtime* runtime) {
  TF_ASSIGN_OR_RETURN(const auto best, BestRecordHere(entry, settings, 0));
  if (!best.has_value()) {
    return absl::NotFoundError(
        absl::StrCat(settings.records, " has no valid kernel of ", entry.name, " for this machine"));
  }
  codegen::LlvmCodeGenerator generator;
  const v1::BuildResponse built = tuner::CompileCandidate(tuner::BuildRequestOf(*best), generator);
  if (built.outcome() != v1::OUTCOME_OK)
    return absl::InternalError(absl::StrCat("build ", entry.name, ": ", built.detail()));
  TF_ASSIGN_OR_RETURN(auto kernel, testing::LoadedKernel::Load(built.manifest(), built.code()));
  TF_RETURN_IF_ERROR(Verify(entry, best->schedule().implementation(), runtime, *kernel));
  return kernel;
}

}  // namespace tunefleet::bench
