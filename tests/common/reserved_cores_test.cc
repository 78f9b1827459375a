#include "common/reserved_cores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "common/abstract_name.h"

namespace tunefleet::common {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ReservedCoresTest, MarksAreSeenAsLongAsTheyAreUp) {
  const std::string scope = "-test-" + std::to_string(getpid());
  EXPECT_THAT(CoresOfAgents(scope), IsEmpty());
  std::optional<ReservedCores> marks(std::in_place, std::vector<int>{12, 3}, scope);
  EXPECT_THAT(CoresOfAgents(scope), ElementsAre(3, 12));
  EXPECT_THAT(CoresOfAgents(scope + "-other"), IsEmpty());
  marks.reset();
  EXPECT_THAT(CoresOfAgents(scope), IsEmpty());
}

TEST(ReservedCoresTest, TheLocksOfCoresAreNoMarks) {
  const std::string scope = "-test-" + std::to_string(getpid());
  const int lock = HoldAbstractName("tunefleet" + scope + "/core-4");
  const int turn = HoldAbstractName("tunefleet" + scope + "/core-5/turn");
  EXPECT_THAT(CoresOfAgents(scope), IsEmpty());
  close(lock);
  close(turn);
}

}  // namespace
}  // namespace tunefleet::common
