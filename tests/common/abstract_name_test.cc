#include "common/abstract_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace tunefleet::common {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST(AbstractNameTest, ANameIsHeldByOneUntilItsSocketIsClosed) {
  const std::string prefix = "tunefleet-test-" + std::to_string(getpid()) + "/";
  const int one = HoldAbstractName(prefix + "one"), two = HoldAbstractName(prefix + "two");
  ASSERT_GE(one, 0);
  ASSERT_GE(two, 0);
  EXPECT_EQ(HoldAbstractName(prefix + "one"), -1);
  EXPECT_EQ(errno, EADDRINUSE);
  EXPECT_THAT(HeldAbstractNames(prefix), UnorderedElementsAre("one", "two"));
  close(two);
  EXPECT_THAT(HeldAbstractNames(prefix), UnorderedElementsAre("one"));
  close(one);
  EXPECT_THAT(HeldAbstractNames(prefix), IsEmpty());
}

TEST(AbstractNameTest, ANameThatIsTooLongIsRefused) {
  const int longest = HoldAbstractName(std::string(107, 'x'));
  EXPECT_GE(longest, 0);
  close(longest);
  EXPECT_EQ(HoldAbstractName(std::string(108, 'x')), -1);
  EXPECT_EQ(errno, ENAMETOOLONG);
}

}  // namespace
}  // namespace tunefleet::common
