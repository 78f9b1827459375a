#include "device_server/fleet/backoff.h"

#include <gtest/gtest.h>

#include <random>

namespace tunefleet::device {
namespace {

TEST(BackoffTest, WaitsDoubleUpToTheMostAndStartAnewAfterSuccess) {
  std::mt19937 random(1);
  Backoff backoff(absl::Milliseconds(100), absl::Seconds(5));
  absl::Duration step = absl::Milliseconds(100);
  for (int i = 0; i < 20; ++i) {
    const absl::Duration wait = backoff.Next(random);
    EXPECT_GE(wait, step / 2);
    EXPECT_LE(wait, step);
    step = std::min(step * 2, absl::Seconds(5));
  }
  backoff.Reset();
  EXPECT_LE(backoff.Next(random), absl::Milliseconds(100));
}

TEST(BackoffTest, TwoAgentsDoNotReturnTogether) {
  std::mt19937 one(1), two(2);
  Backoff a(absl::Seconds(1), absl::Seconds(1)), b(absl::Seconds(1), absl::Seconds(1));
  EXPECT_NE(a.Next(one), b.Next(two));
}

}  // namespace
}  // namespace tunefleet::device
