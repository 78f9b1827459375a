#include "device_server/fleet/due_times.h"

#include <gtest/gtest.h>

namespace tunefleet::device {
namespace {

TEST(DueTimesTest, OneDeviceThatIsOverdueIsEnough) {
  const absl::Time start = absl::UnixEpoch();
  DueTimes due;
  EXPECT_TRUE(due.AllInTime(absl::InfiniteFuture() - absl::Hours(1))) << "nobody is busy";
  due.Set("a", start + absl::Seconds(10));
  due.Set("b", start + absl::Seconds(20));
  EXPECT_TRUE(due.AllInTime(start + absl::Seconds(9)));
  EXPECT_FALSE(due.AllInTime(start + absl::Seconds(10)));
  due.Set("a", start + absl::Seconds(30));
  EXPECT_TRUE(due.AllInTime(start + absl::Seconds(19))) << "the next thing that it does";
  EXPECT_FALSE(due.AllInTime(start + absl::Seconds(20)));
  due.Clear("b");
  EXPECT_TRUE(due.AllInTime(start + absl::Seconds(29)));
  due.Clear("a");
  EXPECT_TRUE(due.AllInTime(start + absl::Hours(1)));
}

}  // namespace
}  // namespace tunefleet::device
