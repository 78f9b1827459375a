#include "tuner/pipeline/make_trial.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tuner/pipeline/fake_fleet.h"
#include "tuner/pipeline/build_candidate.h"

namespace tunefleet::tuner {
namespace {

using testing::HasSubstr;

class MakeTrialTest : public testing::Test {
 protected:
  BuiltCandidate Build(codegen::Values values) {
    return BuildCandidate(task_, {.space = 0, .values = std::move(values)}, kSearchPipeline, builder_);
  }
  TuningTask task_ = MakeFakeTask();
  FakeBuilder builder_;
};

TEST_F(MakeTrialTest, FillsAndChecksFindTheirBuffersByName) {
  const v1::Trial trial = MakeTrial(task_, "job.1", {Build({1, 2, 3})}, {}).value();
  ASSERT_EQ(trial.kernels_size(), 1);
  const v1::Kernel& kernel = trial.kernels(0);
  ASSERT_EQ(kernel.fills_size(), 2);
  EXPECT_EQ(kernel.fills(0).buffer(), 3);  // a
  EXPECT_EQ(kernel.fills(0).seed(), 100);
  EXPECT_EQ(kernel.fills(1).buffer(), 2);  // w
  ASSERT_EQ(kernel.checks_size(), 1);
  EXPECT_EQ(kernel.checks(0).buffer(), 0);  // out
}

TEST_F(MakeTrialTest, AReferenceKernelGoesWithEveryKernel) {
  EXPECT_FALSE(MakeTrial(task_, "job.1", {Build({1, 2, 3})}, {})->kernels(0).has_reference());
  task_.reference_kernel = Build({0, 0, 0});
  const v1::Trial trial = MakeTrial(task_, "job.1", {Build({1, 2, 3}), Build({4, 5, 6})}, {}).value();
  for (const v1::Kernel& kernel : trial.kernels()) {
    EXPECT_EQ(kernel.reference().code_digest(), task_.reference_kernel->manifest.code_digest());
  }
}

TEST_F(MakeTrialTest, ThreadsAreTheTargetsAndLabelsAreForPeople) {
  task_.identity.target.set_threads(2);
  v1::MeasureOptions options;
  options.set_min_samples(7);
  const v1::Trial trial = MakeTrial(task_, "job.1", {Build({0, 0, 0}), Build({1, 0, 0})}, options).value();
  EXPECT_EQ(trial.kernels_size(), 2);
  EXPECT_EQ(trial.options().threads(), 2);
  EXPECT_EQ(trial.options().min_samples(), 7);
  EXPECT_EQ(trial.labels().at("workload"), "fake.T1");
}

TEST_F(MakeTrialTest, ArtifactWithoutATensorIsAnError) {
  BuiltCandidate built = Build({1, 2, 3});
  built.manifest.mutable_buffers()->RemoveLast();
  const absl::Status status = MakeTrial(task_, "job.1", {built}, {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr("\"a\""));
}

TEST_F(MakeTrialTest, ConfigOfAnotherSpaceVersionIsNoCandidate) {
  v1::Config config = Build({1, 2, 3}).config;
  EXPECT_EQ(FindCandidate(task_, config)->values, (codegen::Values{1, 2, 3}));
  config.set_space_version(99);
  EXPECT_EQ(FindCandidate(task_, config).status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace tunefleet::tuner
