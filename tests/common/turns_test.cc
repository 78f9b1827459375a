// Turns between real processes.
#include "common/turns.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "absl/time/clock.h"

namespace tunefleet::common {
namespace {

bool Never() { return false; }

struct Board {
  std::atomic<int> building{0};
  std::atomic<int> timing{0};
  std::atomic<int> builds{0};
  std::atomic<int> together{0};  // most builds at once
  std::atomic<int> clashes{0};
  std::atomic<int> waiting{0};  // how often who wants to time was asked for its patience
  std::atomic<bool> stop{false};
};

class TurnsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    file_ = ::testing::TempDir() + "/turns-" + std::to_string(getpid());
    void* const shared = mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(shared, MAP_FAILED);
    board_ = new (shared) Board;
    ASSERT_TRUE(Turns::Open(file_).ok());
  }
  void TearDown() override {
    for (const pid_t child : children_) kill(child, SIGKILL);
    for (const pid_t child : children_) waitpid(child, nullptr, 0);
    munmap(board_, sizeof(Board));
    std::filesystem::remove(file_);
    std::filesystem::remove(file_ + ".gate");
  }

  pid_t Fork(const std::function<void(const Turns&)>& body) {
    const pid_t child = fork();
    if (child == 0) {
      body(*Turns::Open(file_));
      _exit(0);
    }
    children_.push_back(child);
    return child;
  }

  // Builds without a pause until the board says stop.
  void BuildOn(const Turns& turns) {
    while (!board_->stop) {
      const auto turn = turns.Work();
      const int now = ++board_->building;
      for (int most = board_->together; now > most && !board_->together.compare_exchange_weak(most, now);) {
      }
      if (board_->timing != 0) ++board_->clashes;
      usleep(2000);
      if (board_->timing != 0) ++board_->clashes;
      --board_->building;
      ++board_->builds;
    }
  }

  void Await(const std::function<bool()>& condition) {
    while (!condition()) absl::SleepFor(absl::Milliseconds(1));
  }

  std::string file_;
  Board* board_ = nullptr;
  std::vector<pid_t> children_;
};

TEST_F(TurnsTest, BuildersGoTogetherAndTimingGoesAlone) {
  for (int i = 0; i < 3; ++i) Fork([this](const Turns& turns) { BuildOn(turns); });
  Await([this] { return board_->together >= 2; });
  const auto turns = Turns::Open(file_);
  for (int i = 0; i < 30; ++i) {  // each would wait for ever if overlapping builders could keep it out
    const auto turn = turns->Time(Never);
    ASSERT_TRUE(turn.ok()) << turn.status();
    ++board_->timing;
    EXPECT_EQ(board_->building, 0);
    usleep(500);
    EXPECT_EQ(board_->building, 0);
    --board_->timing;
  }
  const int builds = board_->builds;
  Await([&] { return board_->builds > builds; });  // and builders get their turn again
  EXPECT_EQ(board_->clashes, 0);
}

TEST_F(TurnsTest, NoBuildBeginsOnceSomebodyWantsToTime) {
  const pid_t first = Fork([this](const Turns& other) {
    const auto turn = other.Work();
    ++board_->builds;
    pause();
  });
  Await([this] { return board_->builds == 1; });
  Fork([this](const Turns& other) {
    const auto turn = other.Time([this] {
      ++board_->waiting;
      return false;
    });
    ++board_->timing;
    if (board_->building != 0) ++board_->clashes;
  });
  Await([this] { return board_->waiting > 0; });
  Fork([this](const Turns& other) {
    ++board_->together;  // about to try
    const auto turn = other.Work();
    ++board_->building;
    pause();
  });
  Await([this] { return board_->together == 1; });
  absl::SleepFor(absl::Milliseconds(30));  // time for it to slip in, if it can
  EXPECT_EQ(board_->building, 0);
  kill(first, SIGKILL);
  Await([this] { return board_->building == 1; });
  EXPECT_EQ(board_->timing, 1);
  EXPECT_EQ(board_->clashes, 0);
}

TEST_F(TurnsTest, WhatAKilledProcessHeldIsFree) {
  const pid_t builder = Fork([this](const Turns& turns) {
    const auto turn = turns.Work();
    ++board_->building;
    pause();
  });
  Await([this] { return board_->building == 1; });
  const auto turns = Turns::Open(file_);
  int asked = 0;
  EXPECT_TRUE(absl::IsCancelled(turns->Time([&asked] { return ++asked > 3; }).status()));
  kill(builder, SIGKILL);
  EXPECT_TRUE(turns->Time(Never).ok());

  const pid_t timing = Fork([this](const Turns& other) {
    const auto turn = other.Time(Never);
    ++board_->timing;
    pause();
  });
  Await([this] { return board_->timing == 1; });
  kill(timing, SIGKILL);
  EXPECT_TRUE(turns->Work().ok());
}

TEST_F(TurnsTest, AnAbandonedWaitLeavesTheGateOpen) {
  const auto turns = Turns::Open(file_);
  const auto building = turns->Work();
  EXPECT_TRUE(absl::IsCancelled(turns->Time([] { return true; }).status()));
  EXPECT_TRUE(turns->Work().ok()) << "a second builder is not kept out";
}

TEST_F(TurnsTest, AFolderThatIsNotThereIsAnError) {
  EXPECT_EQ(Turns::Open("/nonexistent/turns").status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(TurnsTest, WorkIsGivenUpWhereSomebodyTimes) {
  const auto turns = Turns::Open(file_);
  ASSERT_TRUE(turns.ok());
  int asked = 0;
  {
    const auto timing = turns->Time(Never);
    ASSERT_TRUE(timing.ok());
    EXPECT_TRUE(absl::IsCancelled(turns->Work([&] { return ++asked == 3; }).status()));
  }
  EXPECT_EQ(asked, 3);
  EXPECT_TRUE(turns->Work([] { return true; }).ok()) << "nobody is in the way";
}

}  // namespace
}  // namespace tunefleet::common
