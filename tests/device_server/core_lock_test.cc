#include "device_server/measure/core_lock.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace tunefleet::device {
namespace {

std::string Scope() { return "-test-" + std::to_string(getpid()); }

TEST(CoreLockTest, AHeldCoreIsRefusedAndAFreedOneGiven) {
  auto lock = CoreLock::Acquire({3, 1}, Scope(), [] { return true; });
  ASSERT_TRUE(lock.has_value());
  EXPECT_FALSE(CoreLock::Acquire({1}, Scope(), [] { return true; }).has_value());
  EXPECT_TRUE(CoreLock::Acquire({2}, Scope(), [] { return true; }).has_value());
  lock.reset();
  EXPECT_TRUE(CoreLock::Acquire({1}, Scope(), [] { return true; }).has_value());
}

TEST(CoreLockTest, OneHolderAtATimeAndNobodyStarves) {
  std::atomic<int> holders = 0;
  std::atomic<int> turns[2] = {0, 0};
  const auto contend = [&](int me) {
    // Each takes the lock until both had it often: this ends only when the lock goes from hand to hand.
    while (turns[0] < 20 || turns[1] < 20) {
      const auto lock = CoreLock::Acquire({0}, Scope(), [] { return false; });
      ASSERT_EQ(holders.fetch_add(1), 0);
      ++turns[me];
      holders.fetch_sub(1);
    }
  };
  std::thread other(contend, 1);
  contend(0);
  other.join();
}

}  // namespace
}  // namespace tunefleet::device
