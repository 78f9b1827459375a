#include "codegen/spaces/schedule_space.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/random/distributions.h"
#include "absl/strings/match.h"
#include "codegen/ir/printer.h"
#include "codegen/lowering/lower.h"
#include "codegen/operators/workload.h"
#include "codegen/primitives/schedule.h"
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

// Asked tile by tile, with the words of TiledAxis.
bool IsClean(const TiledAxis& axis, int64_t tile) {
  for (int64_t output = tile * axis.tile; output < (tile + 1) * axis.tile; ++output) {
    if (output >= axis.outputs) return false;
    const int64_t first = output * axis.stride - axis.padding;
    if (axis.size > 0 && (first < 0 || first + axis.reach > axis.size)) return false;
  }
  return true;
}

TEST(EdgePartsTest, CleanTilesAreThoseThatNeedNoCheck) {
  std::mt19937_64 random(5);
  const auto draw = [&](int64_t least, int64_t most) {
    return absl::Uniform(absl::IntervalClosed, random, least, most);
  };
  for (int i = 0; i < 5000; ++i) {
    TiledAxis axis{.outputs = draw(1, 30), .tile = draw(1, 9), .stride = draw(1, 3), .padding = draw(0, 5)};
    axis.reach = draw(1, 7);
    axis.size = draw(0, 1) * std::max<int64_t>(1, (axis.outputs - 1) * axis.stride + axis.reach - 2 * axis.padding);
    int64_t next = 0;
    for (const EdgePart& part : EdgeParts(axis)) {
      ASSERT_EQ(part.begin, next);
      ASSERT_LT(part.begin, part.end);
      for (int64_t tile = part.begin; tile < part.end; ++tile) {
        ASSERT_EQ(IsClean(axis, tile), part.clean)
            << "tile " << tile << " of " << axis.outputs << "/" << axis.tile << ", stride " << axis.stride
            << ", padding " << axis.padding << ", reach " << axis.reach << ", size " << axis.size;
      }
      next = part.end;
    }
    ASSERT_EQ(next, axis.Tiles());
  }
}

TEST(KnobListTest, DivisorsAreAllThatDivide) {
  for (int64_t n = 1; n <= 200; ++n) {
    for (const int64_t last : {int64_t{1}, int64_t{7}, n / 2 + 1, n, 2 * n}) {
      std::vector<int64_t> divisors;
      for (int64_t d = 1; d <= std::min(n, last); ++d) {
        if (n % d == 0) divisors.push_back(d);
      }
      EXPECT_EQ(DivisorsUpTo(n, last), divisors) << n << " up to " << last;
    }
  }
}

// Where tiles at the edge are programs of their own, nothing is left to be asked while the kernel runs; but for a branch
// per row of taps where a tile has one row.
TEST(Conv2dDirectTest, NoConditionIsLeftInCutPrograms) {
  const v1::Workload workload =
      ResolveLayouts(ParseOperator("conv2d(h=13,w=12,ci=16,co=32,k=3,p=1,layout=NCHW16c)").value(), Avx512Target(1))
          .value();
  const auto spaces = SpacesFor(workload, Avx512Target(1)).value();
  const ScheduleSpace& space = *spaces[0];
  ASSERT_EQ(space.name(), "x86.conv2d.direct");
  const auto knob = [&](const char* name) { return std::ranges::find(space.knobs(), name) - space.knobs().begin(); };
  const auto edge = knob("edge"), rows = knob("oh_tile");
  std::mt19937_64 random(3);
  std::map<int64_t, std::pair<int, int>> configs;  // by knob "edge": with conditions, without
  for (int i = 0; i < 1000; ++i) {
    const Values values = RandomValues(space, random);
    if (values[edge] == 2 || (values[edge] == 1 && values[rows] == 1)) continue;
    const LoopNest nest = Replay(space.Fresh(), space.ToSchedule(values).value()).value();
    const std::string text = Print(Lower(nest).value().nest);
    const bool asks = absl::StrContains(text, "if ") || absl::StrContains(text, " where ");
    ++(asks ? configs[values[edge]].first : configs[values[edge]].second);
    if (values[edge] == 1) {
      ASSERT_FALSE(asks) << text;
    }
  }
  EXPECT_GT(configs[0].first, 10);
  EXPECT_GT(configs[1].second, 10);
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
