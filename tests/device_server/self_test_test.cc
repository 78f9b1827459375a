#include "device_server/builtin/self_test.h"

#include <gmock/gmock.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

namespace tunefleet::device {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

SelfTestFindings Quiet() {
  SelfTestFindings findings;
  findings.sandbox = kSandboxFull;
  findings.scheduling = Scheduling::kFifo;
  Repeatability& kernel = findings.kernels.emplace_back();
  kernel.name = "chain";
  kernel.latencies_ns = {1000, 1002, 998, 1001};
  kernel.speeds = {1, 0.99, 1.01, 1};
  kernel.telemetry.set_governor("performance");
  return findings;
}

v1::TrialResult Flagged(v1::QualityReason reason) {
  v1::TrialResult result;
  result.add_kernels()->add_quality_reasons(reason);
  return result;
}

TEST(SelfTestTest, AQuietMachineIsTrustworthyAndGetsNoAdvice) {
  const SelfTestVerdict verdict = JudgeSelfTest(Quiet());
  EXPECT_TRUE(verdict.trustworthy);
  EXPECT_THAT(verdict.complaints, IsEmpty());
  EXPECT_THAT(verdict.advice, IsEmpty());
  EXPECT_NEAR(verdict.noise, 0.0017, 0.0001);
  EXPECT_NEAR(verdict.clock_range, 1.01 / 0.99 - 1, 1e-9);
}

TEST(SelfTestTest, NoiseFailuresAndFlagsAreReasonsNotToTrustIt) {
  SelfTestFindings noisy = Quiet();
  noisy.kernels[0].latencies_ns = {1000, 1100, 950, 1050};
  EXPECT_FALSE(JudgeSelfTest(noisy).trustworthy);
  EXPECT_THAT(JudgeSelfTest(noisy).complaints, Contains(HasSubstr("chain repeats within 6.")));
  SelfTestFindings failing = Quiet();
  failing.kernels[0].failure = "OUTCOME_CRASHED: SIGSEGV in run";
  EXPECT_THAT(JudgeSelfTest(failing).complaints, Contains(HasSubstr("SIGSEGV")));
  SelfTestFindings flagged = Quiet();
  flagged.kernels[0].flagged = {Flagged(v1::QUALITY_REASON_STOLEN)};
  EXPECT_THAT(JudgeSelfTest(flagged).complaints, Contains(HasSubstr("20.00% of the results are flagged")));
  EXPECT_FALSE(JudgeSelfTest({}).trustworthy);
}

TEST(SelfTestTest, EachWeaknessHasItsAdvice) {
  SelfTestFindings findings = Quiet();
  findings.kernels[0].telemetry.set_governor("powersave");
  findings.kernels[0].speeds = {1, 0.8};
  for (const v1::QualityReason reason : {v1::QUALITY_REASON_STOLEN, v1::QUALITY_REASON_THROTTLED,
                                         v1::QUALITY_REASON_PREEMPTED, v1::QUALITY_REASON_UNUSUAL_CORE}) {
    findings.kernels[0].flagged.push_back(Flagged(reason));
  }
  findings.scheduling = Scheduling::kNormal;
  findings.sandbox = kSandboxFull & ~uint32_t{kSandboxLandlock};
  const SelfTestVerdict verdict = JudgeSelfTest(findings);
  for (const char* part : {"'powersave'", "real-time", "clock moves by 25.00%", "throttled", "hypervisor",
                           "other processes", "sibling threads", "the sandbox lacks landlock"}) {
    EXPECT_THAT(verdict.advice, Contains(HasSubstr(part)));
  }
}

TEST(SelfTestTest, TextAndJsonSayTheSame) {
  SelfTestFindings findings = Quiet();
  findings.kernels[0].failure = "EXITED: with \"quotes\"";
  const SelfTestVerdict verdict = JudgeSelfTest(findings);
  findings.device = "big";
  EXPECT_THAT(SelfTestText(findings, verdict), HasSubstr("NOT to be trusted"));
  EXPECT_THAT(SelfTestText(findings, verdict), HasSubstr("device       big\n"));
  EXPECT_THAT(SelfTestJson(findings, verdict), HasSubstr("\"device\":\"big\""));
  google::protobuf::Struct parsed;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(SelfTestJson(findings, verdict), &parsed).ok());
  EXPECT_FALSE(parsed.fields().at("trustworthy").bool_value());
  EXPECT_EQ(parsed.fields().at("kernels").list_value().values_size(), 1);
  EXPECT_EQ(parsed.fields().at("scheduling").string_value(), "fifo");
}

}  // namespace
}  // namespace tunefleet::device
