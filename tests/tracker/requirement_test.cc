#include "tracker/core/requirement.h"

#include <gtest/gtest.h>

#include "tests/tracker/core_harness.h"

namespace tunefleet::tracker {
namespace {

v1::Requirement Make(const std::vector<std::pair<std::string, std::vector<std::string>>>& conditions) {
  v1::Requirement requirement;
  for (const auto& [attribute, values] : conditions) {
    v1::Condition* condition = requirement.add_conditions();
    condition->set_attribute(attribute);
    for (const std::string& value : values) condition->add_all_of(value);
  }
  return requirement;
}

TEST(RequirementTest, DeviceMustMeetEveryConditionWithEveryValue) {
  v1::Device device = MakeDevice("d", "rk3399");
  v1::DeviceAttribute* isa = device.add_attributes();
  isa->set_name("isa");
  isa->add_values("avx2");
  isa->add_values("fma");
  const AttributeMap attributes = DeviceAttributes(device);
  EXPECT_TRUE(Matches(Make({}), attributes));
  EXPECT_TRUE(Matches(Make({{"class", {"rk3399"}}, {"id", {"d"}}}), attributes));
  EXPECT_TRUE(Matches(Make({{"isa", {"fma", "avx2"}}}), attributes));
  EXPECT_TRUE(Matches(Make({{"isa", {}}}), attributes));
  EXPECT_FALSE(Matches(Make({{"isa", {"fma", "avx512f"}}}), attributes));
  EXPECT_FALSE(Matches(Make({{"class", {"rk3399"}}, {"id", {"e"}}}), attributes));
  EXPECT_FALSE(Matches(Make({{"gpu", {}}}), attributes));
}

TEST(RequirementTest, KeyIgnoresOrderAndTellsDifferentOnesApart) {
  EXPECT_EQ(RequirementKey(Make({{"a", {"x", "y"}}, {"b", {}}})), RequirementKey(Make({{"b", {}}, {"a", {"y", "x"}}})));
  EXPECT_EQ(RequirementKey(Make({})), "");
  EXPECT_NE(RequirementKey(Make({{"a", {"xy"}}})), RequirementKey(Make({{"a", {"x", "y"}}})));
  EXPECT_NE(RequirementKey(Make({{"a", {"b"}}})), RequirementKey(Make({{"a", {}}, {"b", {}}})));
}

}  // namespace
}  // namespace tunefleet::tracker
