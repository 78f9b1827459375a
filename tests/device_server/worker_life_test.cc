#include "device_server/measure/worker_life.h"

#include <gtest/gtest.h>

namespace tunefleet::device {
namespace {

WorkerSpec SpecOf(uint32_t threads) {
  WorkerSpec spec;
  spec.threads = threads;
  return spec;
}

class WorkerLifeTest : public ::testing::Test {
 protected:
  // A kernel that is opened, ends well and is closed.
  static void FeedCleanKernel(WorkerLife* life) {
    life->KernelOpened();
    life->KernelEnded(/*clean=*/true);
    if (life->end().empty()) life->KernelClosed(0);
  }

  WorkerLife life_{WorkerLifetime::kPersistent, SpecOf(2)};
};

TEST_F(WorkerLifeTest, ANewOneTakesAKernel) {
  EXPECT_TRUE(life_.Takes(SpecOf(2)));
  EXPECT_EQ(life_.earlier_kernels(), 0u);
}

TEST_F(WorkerLifeTest, OnlyKernelsThatWantItsLike) {
  EXPECT_FALSE(life_.Takes(SpecOf(1)));
  WorkerSpec elsewhere = SpecOf(2);
  elsewhere.num_cores = 1;
  EXPECT_FALSE(life_.Takes(elsewhere));
  WorkerSpec urgent = SpecOf(2);
  urgent.real_time = 1;
  EXPECT_FALSE(life_.Takes(urgent));
}

TEST_F(WorkerLifeTest, CleanKernelsAreCounted) {
  for (uint32_t i = 0; i < 10; ++i) {
    life_.KernelOpened();
    EXPECT_EQ(life_.earlier_kernels(), i);
    life_.KernelEnded(/*clean=*/true);
    life_.KernelClosed(0);
    EXPECT_TRUE(life_.Takes(SpecOf(2)));
  }
}

TEST_F(WorkerLifeTest, AnyFailureIsTheEnd) {
  FeedCleanKernel(&life_);
  life_.KernelOpened();
  life_.KernelEnded(/*clean=*/false);
  EXPECT_EQ(life_.end(), "its kernel came to no clean end");
  EXPECT_FALSE(life_.Takes(SpecOf(2)));
}

TEST_F(WorkerLifeTest, TheBoundOfKernelsIsTheEnd) {
  for (uint32_t i = 1; i < kMostKernels; ++i) FeedCleanKernel(&life_);
  EXPECT_TRUE(life_.Takes(SpecOf(2)));
  FeedCleanKernel(&life_);
  EXPECT_EQ(life_.end(), "it had as many kernels as one may have");
}

TEST_F(WorkerLifeTest, AKernelThatCannotBeClosedIsTheEnd) {
  life_.KernelOpened();
  life_.KernelEnded(/*clean=*/true);
  EXPECT_EQ(life_.end(), "") << "it may be closed";
  life_.KernelClosed(std::nullopt);
  EXPECT_EQ(life_.end(), "its kernel could not be closed");
}

TEST_F(WorkerLifeTest, MemoryLeftBehindIsTheEndWhenItIsMuch) {
  life_.KernelOpened();
  life_.KernelEnded(/*clean=*/true);
  life_.KernelClosed(kMostKeptBytes);
  EXPECT_TRUE(life_.Takes(SpecOf(2)));
  life_.KernelOpened();
  life_.KernelEnded(/*clean=*/true);
  life_.KernelClosed(kMostKeptBytes + 1);
  EXPECT_EQ(life_.end(), "its kernel left memory behind");
}

TEST_F(WorkerLifeTest, OneKernelEach) {
  WorkerLife life(WorkerLifetime::kCandidate, SpecOf(2));
  EXPECT_TRUE(life.Takes(SpecOf(2)));
  FeedCleanKernel(&life);
  EXPECT_EQ(life.end(), "it was for one kernel");
}

TEST(WorkerLifetimeTest, NamesAreReadAsTheyAreWritten) {
  for (const WorkerLifetime lifetime : {WorkerLifetime::kCandidate, WorkerLifetime::kPersistent}) {
    EXPECT_EQ(ParseLifetime(LifetimeName(lifetime)), lifetime);
  }
  EXPECT_EQ(ParseLifetime("forever"), std::nullopt);
}

TEST(DeservesANewWorkerTest, WhateverIsSaidOfAKernelInAWorkerWithAPast) {
  for (const v1::Outcome outcome : {v1::OUTCOME_LOAD_FAILED, v1::OUTCOME_CRASHED, v1::OUTCOME_TIMED_OUT,
                                    v1::OUTCOME_WRONG_ANSWER, v1::OUTCOME_OUT_OF_MEMORY, v1::OUTCOME_FORBIDDEN,
                                    v1::OUTCOME_EXITED, v1::OUTCOME_NO_REFERENCE, v1::OUTCOME_DEVICE_ERROR}) {
    EXPECT_TRUE(DeservesANewWorker(outcome, 1)) << v1::Outcome_Name(outcome);
    EXPECT_FALSE(DeservesANewWorker(outcome, 0)) << v1::Outcome_Name(outcome);
  }
  for (const v1::Outcome outcome : {v1::OUTCOME_OK, v1::OUTCOME_REFUSED, v1::OUTCOME_CANCELLED}) {
    EXPECT_FALSE(DeservesANewWorker(outcome, 5)) << v1::Outcome_Name(outcome);
  }
}

}  // namespace
}  // namespace tunefleet::device
