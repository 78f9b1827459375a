#include "tuner/pipeline/reference_kernel.h"

#include <gtest/gtest.h>

#include "codegen/operators/workload.h"
#include "common/digest.h"
#include "tests/tuner/pipeline/fake_fleet.h"

namespace tunefleet::tuner {
namespace {

// Builds whatever is asked for, or nothing.
class AnyBuilder : public Builder {
 public:
  v1::BuildResponse Build(const v1::BuildRequest& request) override {
    requests.push_back(request);
    v1::BuildResponse response;
    response.set_outcome(outcome);
    response.set_detail("so it was asked");
    response.set_code("reference");
    response.mutable_manifest()->set_code_digest(common::Sha256("reference"));
    return response;
  }
  int Parallelism() const override { return 1; }

  v1::Outcome outcome = v1::OUTCOME_OK;
  std::vector<v1::BuildRequest> requests;
};

TuningTask MakeTask(double host_reference_flops) {
  v1::Target target;
  target.set_triple("x86_64-linux-gnu");
  target.set_cpu("haswell");
  for (const char* feature : {"avx", "avx2", "fma"}) target.add_features(feature);
  const v1::Workload workload =
      codegen::ParseOperator("matmul(m=8,n=16,k=4)+relu").value();  // 1024 operations, and relu
  return MakeTuningTask("small", workload, target, "desk", 1, host_reference_flops).value();
}

absl::StatusOr<std::optional<common::Turn>> NoTurn() { return std::nullopt; }

class ReferenceKernelTest : public testing::Test {
 protected:
  AnyBuilder builder_;
  FakeFleet fleet_{[](const std::string&) { return FakeVerdict(); }, 1};
  FakeRunner runner_{&fleet_, 1};
};

TEST_F(ReferenceKernelTest, WhatTheHostComputesIsShipped) {
  TuningTask task = MakeTask(kHostReferenceFlops);
  ASSERT_EQ(task.reference.outputs.size(), 1u);
  ASSERT_EQ(task.reference.second_outputs.size(), 1u);
  ASSERT_TRUE(BuildReferenceKernel(builder_, NoTurn, &task).ok());
  EXPECT_TRUE(builder_.requests.empty());
  EXPECT_FALSE(task.reference_kernel.has_value());
  ASSERT_TRUE(ProvideReference(task, runner_).ok());
  EXPECT_TRUE(fleet_.Holds(task.reference.checks[0].reference_digest()));
  EXPECT_TRUE(fleet_.Holds(task.reference.checks[0].second_reference_digest()));
}

TEST_F(ReferenceKernelTest, FromTheThresholdOnTheDeviceComputesInDoublePrecision) {
  TuningTask task = MakeTask(1024);
  EXPECT_TRUE(task.reference.outputs.empty());
  EXPECT_TRUE(task.reference.second_outputs.empty());
  EXPECT_EQ(task.reference.second_fills.size(), 1u);
  ASSERT_TRUE(BuildReferenceKernel(builder_, NoTurn, &task).ok());
  ASSERT_EQ(builder_.requests.size(), 1u);
  EXPECT_EQ(builder_.requests[0].schedule().implementation(), "direct.f64");
  ASSERT_TRUE(task.reference_kernel.has_value());
  ASSERT_TRUE(ProvideReference(task, runner_).ok());
  EXPECT_TRUE(fleet_.Holds(common::Sha256("reference")));
}

TEST_F(ReferenceKernelTest, OneThatCannotBeBuiltIsComputedByTheHost) {
  TuningTask task = MakeTask(0);
  builder_.outcome = v1::OUTCOME_BUILD_CRASHED;
  int turns = 0;
  const auto count = [&]() -> absl::StatusOr<std::optional<common::Turn>> {
    if (++turns == 1) return absl::CancelledError("stopped");
    return std::nullopt;
  };
  EXPECT_TRUE(absl::IsCancelled(BuildReferenceKernel(builder_, count, &task)));

  ASSERT_TRUE(BuildReferenceKernel(builder_, count, &task).ok());
  EXPECT_EQ(turns, 2);
  EXPECT_FALSE(task.reference_kernel.has_value());
  EXPECT_EQ(task.reference.outputs, MakeTask(kHostReferenceFlops).reference.outputs);
  ASSERT_TRUE(ProvideReference(task, runner_).ok());
  EXPECT_TRUE(fleet_.Holds(task.reference.checks[0].reference_digest()));
}

}  // namespace
}  // namespace tunefleet::tuner
