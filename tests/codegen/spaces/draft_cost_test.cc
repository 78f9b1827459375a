#include "codegen/spaces/draft_cost.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>

#include "codegen/operators/workload.h"
#include "codegen/spaces/schedule_space.h"
#include "tests/codegen/spaces/space_targets.h"

namespace tunefleet::codegen {
namespace {

TEST(DraftCostTest, ArithmeticOrTrafficWhicheverTakesLonger) {
  const DraftCost arithmetic{.steps = 1000, .accumulators = 12, .loads = 8};
  EXPECT_DOUBLE_EQ(Cycles(arithmetic), 6000);                                        // two multiply-adds a cycle
  EXPECT_DOUBLE_EQ(Cycles({.steps = 1000, .accumulators = 2, .loads = 3}), 4000);    // one waits for the one before
  EXPECT_DOUBLE_EQ(Cycles({.steps = 1000, .accumulators = 12, .loads = 16}), 8000);  // two loads a cycle
  DraftCost streamed = arithmetic;
  streamed.l3_bytes = 8 * 10000;
  EXPECT_GT(Cycles(streamed), 10000);
  EXPECT_LT(Cycles(streamed), 16000);  // partly hidden behind each other
}

TEST(DraftCostTest, TasksThatDoNotFillTheThreadsLeaveThemIdle) {
  const DraftCost serial{.steps = 1000, .accumulators = 12, .threads = 2};
  const auto with_tasks = [&](double tasks) {
    DraftCost cost = serial;
    cost.tasks = tasks;
    return Cycles(cost) / Cycles(serial);
  };
  EXPECT_DOUBLE_EQ(with_tasks(2), 1.0 / 2);
  EXPECT_DOUBLE_EQ(with_tasks(3), 2.0 / 3);
  EXPECT_DOUBLE_EQ(with_tasks(4), 1.0 / 2);
}

// What no machine can do better is no part of a guess: all guesses stay above two vectors of multiply-adds a cycle.
TEST(DraftCostTest, SpacesOfLargeOperatorsGuessMoreThanThePeak) {
  std::mt19937_64 random(1);
  for (const char* op : {"conv2d(n=1,h=28,w=28,ci=128,co=128,k=3,p=1)", "matmul(m=384,n=768,k=768)"}) {
    const v1::Target target = Avx512Target(1);
    const v1::Workload workload = ResolveLayouts(ParseOperator(op).value(), target).value();
    const auto spaces = SpacesFor(workload, target).value();
    const ScheduleSpace& space = *spaces[0];
    const double least = FlopCount(workload) / (2.0 * 16) / 2;
    double lowest = 1e30;
    double sum = 0;
    for (int i = 0; i < 200; ++i) {
      const double cycles = space.DraftCycles(RandomValues(space, random));
      EXPECT_GE(cycles, least) << op;
      lowest = std::min(lowest, cycles);
      sum += cycles;
    }
    EXPECT_LT(lowest, 2 * least) << op;
    EXPECT_GT(sum / 200, 1.2 * lowest) << op;  // and they tell configs apart
    EXPECT_LT(space.DraftCycles(DraftedValues(space, 64, random)), sum / 200) << op;
  }
}

}  // namespace
}  // namespace tunefleet::codegen
