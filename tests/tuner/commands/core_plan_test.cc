#include "tuner/commands/core_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunefleet::tuner {
namespace {

using ::testing::ElementsAre;

TEST(CorePlanTest, DeviceGetsTheLastCore) {
  const auto plan = PlanCores({0, 1}, {}, 1);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(plan->device, ElementsAre(1));
  EXPECT_THAT(plan->others, ElementsAre(0));
  EXPECT_FALSE(plan->shared);
}

TEST(CorePlanTest, EverybodySharesWhenTheKernelNeedsEveryCore) {
  const auto plan = PlanCores({0, 1}, {}, 2);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(plan->device, ElementsAre(0, 1));
  EXPECT_THAT(plan->others, ElementsAre(0, 1));
  EXPECT_TRUE(plan->shared);
}

TEST(CorePlanTest, SiblingsOfDeviceCoresStayIdle) {
  const std::map<int, std::vector<int>> siblings = {{0, {0, 4}}, {1, {1, 5}}, {2, {2, 6}}, {3, {3, 7}},
                                                    {4, {0, 4}}, {5, {1, 5}}, {6, {2, 6}}, {7, {3, 7}}};
  const auto plan = PlanCores({0, 1, 2, 3, 4, 5, 6, 7}, siblings, 2);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(plan->device, ElementsAre(6, 7));
  EXPECT_THAT(plan->others, ElementsAre(0, 1, 4, 5));
  EXPECT_FALSE(PlanCores({0, 1, 2, 3, 4, 5, 6, 7}, siblings, 5).ok());
}

TEST(CorePlanTest, BuildersStayOffTheCoresOfAgents) {
  const std::map<int, std::vector<int>> siblings = {{0, {0, 2}}, {1, {1, 3}}, {2, {0, 2}}, {3, {1, 3}}};
  EXPECT_THAT(CoresBeside({0, 1, 2, 3}, siblings, {}), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(CoresBeside({0, 1, 2, 3}, siblings, {3, 9}), ElementsAre(0, 2)) << "and off their other threads";
  EXPECT_THAT(CoresBeside({0, 1, 2, 3}, siblings, {2, 3}), ElementsAre(0, 1)) << "there is no other core";
  EXPECT_THAT(CoresBeside({1, 3}, siblings, {1, 3}), ElementsAre(1, 3)) << "there is no other thread";
}

TEST(CorePlanTest, OnlyAllowedCoresAreUsed) {
  const auto plan = PlanCores({3, 9}, {}, 1);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(plan->device, ElementsAre(9));
  EXPECT_THAT(plan->others, ElementsAre(3));
  EXPECT_TRUE(absl::IsInvalidArgument(PlanCores({3, 9}, {}, 3).status()));
}

TEST(CorePlanTest, ThisMachineHasCores) { EXPECT_FALSE(AllowedCores().empty()); }

}  // namespace
}  // namespace tunefleet::tuner
