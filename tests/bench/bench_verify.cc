// bench_verify: what the verification of a candidate costs, of the trial that it is a part of, as the tuner asks for
// it.
#include <algorithm>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "codegen/operators/workload.h"
#include "common/status_macros.h"
#include "device_server/describe/cpu_list.h"
#include "device_server/describe/machine.h"
#include "device_server/measure/trial_runner.h"
#include "tests/mutants/subject.h"

ABSL_FLAG(int, layers, 12, "C1 to this one of resnet18");
ABSL_FLAG(int, candidates, 3, "random schedules of each, after one that fills the agent's caches");
ABSL_FLAG(uint64_t, seed, 1, "of the schedules");

namespace tunefleet::codegen {
namespace {

double Seconds(const google::protobuf::Duration& duration) { return duration.seconds() + 1e-9 * duration.nanos(); }

absl::Status Measure() {
  const std::vector<uint16_t> usable = device::UsableCores();
  TF_ASSIGN_OR_RETURN(const auto runner,
                      device::TrialRunner::Create(
                          {.program = TUNEFLEET_DEVICE_PROGRAM, .cores = {usable.back()}, .device_id = "bench"}));
  const v1::Target target = device::DescribeTarget({usable.back()}, 1);
  std::mt19937_64 random(absl::GetFlag(FLAGS_seed));
  std::vector<double> shares;
  std::printf("%-14s %10s %10s %8s\n", "workload", "trial ms", "verify ms", "share");
  for (int layer = 1; layer <= absl::GetFlag(FLAGS_layers); ++layer) {
    TF_ASSIGN_OR_RETURN(const std::vector<NamedWorkload> named, FindWorkloads(absl::StrCat("resnet18.C", layer)));
    for (int i = 0; i <= absl::GetFlag(FLAGS_candidates); ++i) {
      TF_ASSIGN_OR_RETURN(const Subject subject, MakeSubject(WorkloadKey(named[0].workload), target, random));
      device::TestBlobs blobs;
      TF_ASSIGN_OR_RETURN(const Artifact artifact, subject.Compile(subject.lowered.nest));
      TF_ASSIGN_OR_RETURN(v1::Trial trial, subject.MakeTrial(artifact, "bench", &blobs));
      trial.clear_options();  // the agent's defaults, as in tuning
      trial.mutable_options()->set_threads(1);
      const v1::TrialResult result =
          runner->Run({.trial = trial, .blobs = blobs, .time_limit = absl::Minutes(5), .cancelled = nullptr});
      if (result.outcome() != v1::OUTCOME_OK) return absl::InternalError(result.detail());
      if (i == 0) continue;
      const double verify = Seconds(result.verify_time());
      const double all = Seconds(result.device_time());
      shares.push_back(verify / all);
      std::printf("resnet18.C%-4d %10.2f %10.3f %7.2f%%\n", layer, all * 1e3, verify * 1e3, 100 * verify / all);
    }
  }
  std::sort(shares.begin(), shares.end());
  std::printf("verification, share of a trial: median %.2f%%, largest %.2f%% of %zu trials\n",
              100 * shares[shares.size() / 2], 100 * shares.back(), shares.size());
  return absl::OkStatus();
}

}  // namespace
}  // namespace tunefleet::codegen

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("Share of verification in a trial.\n\n  bench_verify --layers=12 --candidates=3");
  absl::ParseCommandLine(argc, argv);
  const absl::Status status = tunefleet::codegen::Measure();
  if (!status.ok()) std::fprintf(stderr, "bench_verify: %s\n", std::string(status.message()).c_str());
  return status.ok() ? 0 : 1;
}
