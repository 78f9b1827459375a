#include "tests/bench/tuned_kernel.h"

#include <cmath>
#include <cstring>
#include <fstream>
#include <optional>

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

absl::StatusOr<std::optional<v1::TuningRecord>> BestRecord(const SuiteEntry& entry, const TuneSettings& settings) {
  const auto database = tuner::OpenSqliteDatabase(settings.records, tuner::DatabaseAccess::kRead);
  if (absl::IsNotFound(database.status())) return std::nullopt;
  TF_RETURN_IF_ERROR(database.status());
  TF_ASSIGN_OR_RETURN(const auto tasks, (*database)->Tasks(codegen::WorkloadKey(entry.workload)));
  for (const tuner::TaskSummary& task : tasks) {
    if (std::max(task.task.target.threads(), 1) != settings.threads || task.trials < settings.trials) continue;
    if (task.task.cache_mode != v1::CACHE_MODE_WARM) continue;
    return (*database)->Best(tuner::TaskDigest(task.task));
  }
  return std::nullopt;
}

absl::Status Verify(const SuiteEntry& entry, const std::string& implementation, testing::LoadedKernel& kernel) {
  TF_ASSIGN_OR_RETURN(const codegen::Reference reference, codegen::ComputeReference(entry.workload, kSeed));
  for (const v1::BufferFill& fill : reference.fills) {
    const int buffer = kernel.Index(entry.workload.tensors(static_cast<int>(fill.buffer())).name());
    TF_RETURN_IF_ERROR(common::FillBuffer(fill, kernel.bytes(buffer)));
  }
  if (kernel.Prepare() != 0 || kernel.Run() != 0)
    return absl::DataLossError(absl::StrCat(entry.name, ": the kernel failed"));
  TF_ASSIGN_OR_RETURN(const std::vector<v1::OutputCheck> checks,
                      codegen::ChecksFor(entry.workload, reference, implementation));
  for (size_t i = 0; i < checks.size(); ++i) {
    const v1::OutputCheck& check = checks[i];
    const auto bytes = kernel.bytes(kernel.Index(entry.workload.tensors(static_cast<int>(check.buffer())).name()));
    std::vector<float> value(bytes.size() / sizeof(float)), expected(value.size());
    std::memcpy(value.data(), bytes.data(), bytes.size());
    std::memcpy(expected.data(), reference.outputs[i].data(), bytes.size());
    for (size_t j = 0; j < value.size(); ++j) {
      const double error = std::abs(double{value[j]} - double{expected[j]});
      if (!(error <= check.absolute() + check.relative() * std::abs(double{expected[j]}))) {
        return absl::DataLossError(
            absl::StrCat(entry.name, ": element ", j, " is ", value[j], ", expected ", expected[j]));
      }
    }
  }
  return absl::OkStatus();
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
  const v1::Target target = device::DescribeTarget({0}, 1);
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

absl::StatusOr<std::unique_ptr<testing::LoadedKernel>> TunedKernel(const SuiteEntry& entry,
                                                                   const TuneSettings& settings) {
  TF_ASSIGN_OR_RETURN(std::optional<v1::TuningRecord> best, BestRecord(entry, settings));
  if (!best.has_value()) {
    TF_RETURN_IF_ERROR(RunTuner(entry, settings));
    TF_ASSIGN_OR_RETURN(best, BestRecord(entry, settings));
  }
  if (!best.has_value()) return absl::InternalError(absl::StrCat("tune ", entry.name, ": no valid kernel was found"));
  codegen::LlvmCodeGenerator generator;
  const v1::BuildResponse built = tuner::CompileCandidate(tuner::BuildRequestOf(*best), generator);
  if (built.outcome() != v1::OUTCOME_OK)
    return absl::InternalError(absl::StrCat("build ", entry.name, ": ", built.detail()));
  TF_ASSIGN_OR_RETURN(auto kernel, testing::LoadedKernel::Load(built.manifest(), built.code()));
  TF_RETURN_IF_ERROR(Verify(entry, best->schedule().implementation(), *kernel));
  return kernel;
}

}  // namespace tunefleet::bench
