#include "codegen/spaces/schedule_space.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "codegen/operators/workload.h"
#include "codegen/spaces/edge_parts.h"
#include "codegen/spaces/knob_space.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/codegen/spaces/space_targets.h"

namespace tunefleet::codegen {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// a in {1, 2, 3}; b in 1 to 2 a; c is 7.
class SmallSpace : public KnobSpace {
 public:
  SmallSpace() : KnobSpace("small", 3, LoopNest()) {
    a_ = knob_list().Add("a", {1, 2, 3});
    b_ = knob_list().Add("b", [this](KnobValues at) { return UpTo(2 * at[a_]); });
    knob_list().Add("c", {7});
  }

 private:
  v1::Schedule Build(KnobValues at) const override {
    ScheduleBuilder builder("direct", 1);
    builder.Split("x", {0, at[b_]}, {"x.o", "x.i"});
    return builder.schedule();
  }
  std::vector<double> Derived(KnobValues at) const override { return {static_cast<double>(at[a_] * at[b_])}; }

  Knob a_, b_;
};

std::vector<std::unique_ptr<ScheduleSpace>> SpacesOf(const v1::Workload& workload, const v1::Target& target) {
  absl::StatusOr<std::vector<std::unique_ptr<ScheduleSpace>>> spaces = SpacesFor(workload, target);
  EXPECT_TRUE(spaces.ok()) << spaces.status();
  return std::move(spaces).value_or(std::vector<std::unique_ptr<ScheduleSpace>>());
}

TEST(SpaceSizeTest, SmallSpacesAreCounted) { EXPECT_EQ(SpaceSize(SmallSpace()), 2 + 4 + 6); }

TEST(SpaceSizeTest, TunedWorkloadsHaveMoreThanAHundredThousandConfigs) {
  for (const char* name : {"resnet18.C6", "resnet18.C12", "matmul.1024"}) {
    for (const int threads : {1, 2}) {
      const auto spaces = SpacesOf(FindWorkloads(name)->front().workload, Avx512Target(threads));
      ASSERT_FALSE(spaces.empty());
      EXPECT_GT(SpaceSize(*spaces[0]), 100000) << name;
    }
  }
}

TEST(SpaceWalkTest, RandomValuesReachEveryConfig) {
  const SmallSpace space;
  std::mt19937_64 random(3);
  std::set<Values> seen;
  for (int i = 0; i < 1000; ++i) {
    const Values values = RandomValues(space, random);
    EXPECT_TRUE(Contains(space, values));
    seen.insert(values);
  }
  EXPECT_EQ(seen.size(), 12);
}

TEST(SpaceWalkTest, NeighboursChangeOneKnobAndRepairLaterOnes) {
  const SmallSpace space;
  std::mt19937_64 random(4);
  bool repaired = false;
  for (int i = 0; i < 1000; ++i) {
    const Values values = RandomValues(space, random);
    const Values neighbour = Neighbour(space, values, random);
    EXPECT_TRUE(Contains(space, neighbour));
    EXPECT_NE(neighbour, values);
    if (neighbour[0] == values[0]) continue;
    EXPECT_EQ(neighbour[1], std::min(values[1], 2 * neighbour[0])) << "the nearest value of the smaller domain";
    repaired = repaired || neighbour[1] != values[1];
  }
  EXPECT_TRUE(repaired);
}

TEST(SpaceConfigTest, RoundTripsAndRefusesWhatIsNotItsOwn) {
  const SmallSpace space;
  const v1::Config config = ToConfig(space, {2, 4, 7});
  EXPECT_THAT(FromConfig(space, config).value(), ElementsAre(2, 4, 7));
  v1::Config other = config;
  other.set_space_version(2);
  EXPECT_EQ(FromConfig(space, other).status().code(), absl::StatusCode::kFailedPrecondition);
  other = config;
  other.mutable_knobs(1)->set_value(5);
  EXPECT_THAT(std::string(FromConfig(space, other).status().message()), HasSubstr("'b' = 5 is outside"));
  other = config;
  other.mutable_knobs()->RemoveLast();
  EXPECT_THAT(std::string(FromConfig(space, other).status().message()), HasSubstr("lacks knob 'c'"));
  other = config;
  other.mutable_knobs(0)->set_name("z");
  EXPECT_THAT(std::string(FromConfig(space, other).status().message()), HasSubstr("'z'; expected a"));
}

TEST(KnobSpaceTest, RefusesValuesOutsideTheirDomain) {
  const SmallSpace space;
  EXPECT_TRUE(space.ToSchedule({1, 2, 7}).ok());
  EXPECT_EQ(space.ToSchedule({1, 3, 7}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(space.ToSchedule({1, 2}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(space.KnobFeatures({1, 1, 7}), ElementsAre(1, 1, 3, 1));
}

TEST(KnobFeaturesTest, HaveOneLengthAndAreFinite) {
  std::mt19937_64 random(5);
  for (const char* name : {"resnet18.C1", "resnet18.C11", "matmul.512"}) {
    const auto spaces = SpacesOf(FindWorkloads(name)->front().workload, Avx512Target(2));
    const size_t length = spaces[0]->KnobFeatures(RandomValues(*spaces[0], random)).size();
    for (int i = 0; i < 200; ++i) {
      const std::vector<float> features = spaces[0]->KnobFeatures(RandomValues(*spaces[0], random));
      EXPECT_EQ(features.size(), length);
      for (const float feature : features) EXPECT_TRUE(std::isfinite(feature));
    }
  }
}

std::vector<std::string> SpaceNames(absl::string_view op) {
  std::vector<std::string> names;
  for (const auto& space : SpacesOf(ParseOperator(op).value(), Avx512Target(1))) names.push_back(space->name());
  return names;
}

TEST(SpacesForTest, EveryImplementationHasItsSpaces) {
  EXPECT_THAT(SpaceNames("conv2d(h=9,w=9,ci=16,co=16,k=3,p=1,layout=NCHW16c)+relu"),
              ElementsAre("x86.conv2d.direct", "x86.conv2d.winograd.2", "x86.conv2d.winograd.3",
                          "x86.conv2d.winograd.4", "x86.conv2d.winograd.6"));
  EXPECT_THAT(SpaceNames("conv2d(h=9,w=9,ci=16,co=16,k=3,s=2,p=1,layout=NCHW16c)"),
              ElementsAre("x86.conv2d.direct", "x86.conv2d.winograd_stride2.2", "x86.conv2d.winograd_stride2.3",
                          "x86.conv2d.winograd_stride2.4"));
  EXPECT_THAT(SpaceNames("conv2d(h=9,w=9,ci=16,co=16,k=3,p=1,layout=NCHW)"),
              ElementsAre("x86.conv2d.direct", "x86.conv2d.blocked16.direct", "x86.conv2d.blocked16.winograd.2",
                          "x86.conv2d.blocked16.winograd.3", "x86.conv2d.blocked16.winograd.4",
                          "x86.conv2d.blocked16.winograd.6"));
  EXPECT_THAT(SpaceNames("conv2d(h=9,w=9,ci=16,co=16,k=1,layout=NHWC)"),
              ElementsAre("x86.conv2d.blocked16.direct", "x86.conv2d.matmul"));
  EXPECT_THAT(SpaceNames("conv2d(h=9,w=9,ci=16,co=16,k=1,layout=NCHW)"),
              ElementsAre("x86.conv2d.direct", "x86.conv2d.blocked16.direct", "x86.conv2d.matmul"));
  EXPECT_THAT(SpaceNames("conv2d(h=9,w=9,ci=16,co=16,k=1,s=2,layout=NHWC)"),
              ElementsAre("x86.conv2d.blocked16.direct"));
  EXPECT_THAT(SpaceNames("matmul(m=64,n=64,k=64)"), ElementsAre("x86.matmul.packed"));
  EXPECT_THAT(SpaceNames("matmul(m=64,n=2,k=64)"), ElementsAre("x86.matmul.packed", "x86.matmul.dot"));
  EXPECT_THAT(SpaceNames("matmul(m=2,n=64,k=64)"), ElementsAre("x86.matmul.packed"));
  EXPECT_THAT(SpaceNames("matmul(m=2,n=64,k=64,tb=1)"), ElementsAre("x86.matmul.packed", "x86.matmul.dot"));
  EXPECT_THAT(SpaceNames("depthwise_conv2d(h=9,w=9,c=16,k=3,p=1,layout=NCHW16c)"), ElementsAre("x86.depthwise.direct"));
  EXPECT_THAT(SpaceNames("conv2d(h=9,w=9,ci=16,co=16,k=3,p=1,layout=NCHW16c,dtype=int8)"),
              ElementsAre("x86.conv2d.direct"));
}

TEST(SpacesForTest, UnknownAnchorsAreRefused) {
  v1::Workload workload = FindWorkloads("matmul.256")->front().workload;
  workload.mutable_nodes(0)->set_kind("softmax");
  EXPECT_EQ(SpacesFor(workload, Avx512Target(1)).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(SpacesFor(v1::Workload(), Avx512Target(1)).status().code(), absl::StatusCode::kInvalidArgument);
}

std::string PartsText(const std::vector<EdgePart>& parts) {
  std::string text;
  for (const EdgePart& part : parts) {
    text += "[" + std::to_string(part.begin) + "," + std::to_string(part.end) + (part.clean ? ")" : ")!");
  }
  return text;
}

std::string PartsText(const TiledAxis& axis) { return PartsText(EdgeParts(axis)); }

TEST(EdgePartsTest, TilesThatTouchPaddingOrTheTailStandAlone) {
  // 28 outputs in tiles of 7, 3 taps, padding 1.
  EXPECT_EQ(PartsText({.outputs = 28, .tile = 7, .padding = 1, .reach = 3, .size = 28}), "[0,1)![1,3)[3,4)!");
  EXPECT_EQ(PartsText({.outputs = 28, .tile = 28, .padding = 1, .reach = 3, .size = 28}), "[0,1)!");
  EXPECT_EQ(PartsText({.outputs = 28, .tile = 8}), "[0,3)[3,4)!");
  EXPECT_EQ(PartsText({.outputs = 28, .tile = 7}), "[0,4)");
  // Stride 2 with padding before only: 56 inputs, 28 outputs.
  EXPECT_EQ(PartsText({.outputs = 28, .tile = 14, .stride = 2, .padding = 1, .reach = 3, .size = 56}), "[0,1)![1,2)");
  // More than two unclean tiles on a side stay one part.
  EXPECT_EQ(PartsText({.outputs = 9, .tile = 1, .padding = 3, .reach = 7, .size = 9}), "[0,3)![3,6)[6,9)!");
}

TEST(EdgePartsTest, PaddingLanesOfTheLastBlockStandApart) {
  EXPECT_TRUE(ChannelCuts("ci", "l", 32, 16, 4).empty());
  // 37 channels: two full blocks, and 5 lanes of a third, four at a time.
  const std::vector<EdgeCut> cuts = ChannelCuts("ci", "l", 37, 16, 4);
  ASSERT_EQ(cuts.size(), 2);
  EXPECT_EQ(PartsText(cuts[0].parts), "[0,2)[2,3)!");
  EXPECT_EQ(PartsText(cuts[1].PartsIn({true})), "[0,4)");
  EXPECT_EQ(PartsText(cuts[1].PartsIn({false})), "[0,1)[1,2)![2,4)!");
  // One block of three channels, all lanes at once.
  const std::vector<EdgeCut> few = ChannelCuts("ci", "l", 3, 8, 8);
  EXPECT_EQ(PartsText(few[0].parts), "[0,1)!");
  EXPECT_EQ(PartsText(few[1].PartsIn({false})), "[0,1)!");
}

}  // namespace
}  // namespace tunefleet::codegen
