#include "device_server/builtin/self_test.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "device_server/builtin/builtin_kernels.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace tunefleet::device {
namespace {

constexpr double kMostNoise = 0.02;
constexpr double kMostFlagged = 0.10;
constexpr double kSteadyClock = 0.05;

std::string Percent(double share) { return absl::StrFormat("%.2f%%", 100 * share); }

std::vector<std::string> MissingMeasures(uint32_t sandbox) {
  std::vector<std::string> missing;
  for (uint32_t bit = 1; bit < kSandboxFull; bit <<= 1) {
    if ((sandbox & bit) == 0) missing.push_back(SandboxNames(bit).front());
  }
  return missing;
}

std::set<v1::QualityReason> ReasonsSeen(const SelfTestFindings& findings) {
  std::set<v1::QualityReason> reasons;
  for (const Repeatability& kernel : findings.kernels) {
    for (const v1::TrialResult& result : kernel.flagged) {
      for (const int reason : result.kernels(0).quality_reasons()) {
        reasons.insert(static_cast<v1::QualityReason>(reason));
      }
    }
  }
  return reasons;
}

std::vector<std::string> Advice(const SelfTestFindings& findings, double clock_range) {
  std::vector<std::string> advice;
  const std::set<v1::QualityReason> reasons = ReasonsSeen(findings);
  std::string governor;
  for (const Repeatability& kernel : findings.kernels) governor = kernel.telemetry.governor();
  if (!governor.empty() && governor != "performance") {
    advice.push_back(absl::StrCat("the governor is '", governor,
                                  "': set it with 'cpupower frequency-set -g performance' or through cpufreq in /sys"));
  }
  if (findings.scheduling != Scheduling::kFifo) {
    advice.push_back(
        "kernels run without real-time priority: leave a core to the rest of the machine (--cores), and start the "
        "agent as root, with CAP_SYS_NICE or with a limit of real-time priority of at least 1");
  }
  if (clock_range > kSteadyClock) {
    advice.push_back(absl::StrCat("the clock moves by ", Percent(clock_range),
                                  ": timings are corrected, but a fixed frequency (turbo off) is better"));
  }
  if (reasons.contains(v1::QUALITY_REASON_THROTTLED)) advice.push_back("the processor is throttled: cool it better");
  if (reasons.contains(v1::QUALITY_REASON_STOLEN)) {
    advice.push_back("the hypervisor takes the cores away: ask for dedicated ones");
  }
  if (reasons.contains(v1::QUALITY_REASON_PREEMPTED)) {
    advice.push_back("other processes run on the measuring cores: name quieter ones with --cores, or isolate them");
  }
  if (reasons.contains(v1::QUALITY_REASON_WIDE_INTERVAL)) {
    advice.push_back("repeated runs differ: look for other work on this machine, or neighbours on its host");
  }
  if (reasons.contains(v1::QUALITY_REASON_UNUSUAL_CORE)) {
    advice.push_back(
        "the core's units are shared: leave its sibling threads idle, or ask for cores without neighbours");
  }
  if ((findings.sandbox & kSandboxFull) != kSandboxFull) {
    advice.push_back(absl::StrCat("the sandbox lacks ", absl::StrJoin(MissingMeasures(findings.sandbox), ", "),
                                  ": run kernels of people that you trust only"));
  }
  return advice;
}

}  // namespace

SelfTestFindings RunSelfTest(int times, uint32_t threads, absl::BitGenRef random, TrialRunner* runner) {
  std::vector<std::pair<const char*, BuiltinKernel>> kernels = {{"chain", {BuiltinKind::kChain, 100'000}},
                                                                {"product", {BuiltinKind::kProduct, 64}},
                                                                {"stream", {BuiltinKind::kStream, 1 << 18}}};
  if (threads > 1) kernels.push_back({"parallel", {BuiltinKind::kParallel, 4 * threads}});
  v1::MeasureOptions options;
  options.set_threads(threads);
  MemoryBlobs blobs;
  std::vector<v1::Trial> trials;
  for (const auto& [name, kernel] : kernels) trials.push_back(MakeBuiltinTrial(name, {kernel}, options, &blobs));
  SelfTestFindings findings;
  findings.kernels = MeasureAgain(trials, blobs, times, random, runner);
  findings.sandbox = runner->sandbox();
  findings.scheduling = runner->scheduling();
  return findings;
}

SelfTestVerdict JudgeSelfTest(const SelfTestFindings& findings) {
  SelfTestVerdict verdict;
  std::vector<double> speeds;
  size_t flagged = 0, measured = 0;
  for (const Repeatability& kernel : findings.kernels) {
    if (!kernel.failure.empty()) verdict.complaints.push_back(absl::StrCat(kernel.name, " failed: ", kernel.failure));
    if (kernel.VariationCoefficient() > kMostNoise) {
      verdict.complaints.push_back(absl::StrCat(kernel.name, " repeats within ", Percent(kernel.VariationCoefficient()),
                                                ", wanted ", Percent(kMostNoise)));
    }
    verdict.noise = std::max(verdict.noise, kernel.VariationCoefficient());
    flagged += kernel.flagged.size();
    measured += kernel.measured();
    speeds.insert(speeds.end(), kernel.speeds.begin(), kernel.speeds.end());
  }
  if (measured == 0) verdict.complaints.push_back("nothing could be measured");
  if (measured > 0) verdict.flagged = static_cast<double>(flagged) / static_cast<double>(measured);
  if (verdict.flagged > kMostFlagged) {
    verdict.complaints.push_back(
        absl::StrCat(Percent(verdict.flagged), " of the results are flagged, wanted at most ", Percent(kMostFlagged)));
  }
  if (!speeds.empty()) {
    const auto [least, most] = std::minmax_element(speeds.begin(), speeds.end());
    verdict.clock_range = *least > 0 ? *most / *least - 1 : 0;
  }
  verdict.trustworthy = verdict.complaints.empty();
  verdict.advice = Advice(findings, verdict.clock_range);
  return verdict;
}

std::string SelfTestText(const SelfTestFindings& findings, const SelfTestVerdict& verdict) {
  std::string text = absl::StrCat("device       ", findings.device, "\n");
  for (const Repeatability& kernel : findings.kernels) {
    absl::StrAppendFormat(&text, "%-12s %10.2f us, noise %s, %s flagged, %d times\n", kernel.name,
                          kernel.MedianNs() / 1000, Percent(kernel.VariationCoefficient()),
                          Percent(kernel.FlaggedShare()), kernel.measured());
  }
  absl::StrAppend(&text, "clock        moves by ", Percent(verdict.clock_range), "\n");
  absl::StrAppend(&text, "priority     ", SchedulingName(findings.scheduling), "\n");
  absl::StrAppend(&text, "sandbox      ", absl::StrJoin(SandboxNames(findings.sandbox), " "), "\n");
  absl::StrAppend(&text, "verdict      timings of this machine ",
                  verdict.trustworthy ? "can be trusted\n" : "are NOT to be trusted\n");
  for (const std::string& complaint : verdict.complaints) absl::StrAppend(&text, "  because    ", complaint, "\n");
  for (const std::string& advice : verdict.advice) absl::StrAppend(&text, "  advice     ", advice, "\n");
  return text;
}

std::string SelfTestJson(const SelfTestFindings& findings, const SelfTestVerdict& verdict) {
  google::protobuf::Struct object;
  auto& fields = *object.mutable_fields();
  fields["device"].set_string_value(findings.device);
  fields["trustworthy"].set_bool_value(verdict.trustworthy);
  fields["noise"].set_number_value(verdict.noise);
  fields["flagged"].set_number_value(verdict.flagged);
  fields["clock_range"].set_number_value(verdict.clock_range);
  fields["scheduling"].set_string_value(SchedulingName(findings.scheduling));
  const auto list = [&fields](const char* name, const std::vector<std::string>& values) {
    auto& target = *fields[name].mutable_list_value();
    for (const std::string& value : values) target.add_values()->set_string_value(value);
  };
  list("sandbox", SandboxNames(findings.sandbox));
  list("complaints", verdict.complaints);
  list("advice", verdict.advice);
  auto& kernels = *fields["kernels"].mutable_list_value();
  for (const Repeatability& kernel : findings.kernels) {
    auto& row = *kernels.add_values()->mutable_struct_value()->mutable_fields();
    row["kernel"].set_string_value(kernel.name);
    row["median_ns"].set_number_value(kernel.MedianNs());
    row["noise"].set_number_value(kernel.VariationCoefficient());
    row["flagged"].set_number_value(kernel.FlaggedShare());
    row["measured"].set_number_value(static_cast<double>(kernel.measured()));
    row["failure"].set_string_value(kernel.failure);
  }
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(object, &text);
  return status.ok() ? text : "{}";
}

}  // namespace tunefleet::device
