// Every config of a space stands for a legal schedule that computes the workload: random configs of odd little shapes,
// replayed, validated, lowered, and interpreted against the reference.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/random/distributions.h"
#include "absl/strings/str_cat.h"
#include "codegen/ir/printer.h"
#include "codegen/ir/validator.h"
#include "codegen/lowering/lower.h"
#include "codegen/operators/workload.h"
#include "codegen/primitives/schedule.h"
#include "codegen/spaces/schedule_space.h"
#include "gtest/gtest.h"
#include "tests/codegen/operators/check_nest.h"
#include "tests/codegen/spaces/space_targets.h"

namespace tunefleet::codegen {
namespace {

constexpr int kConfigsPerShape = 2;  // one interpreted as it is, one lowered

// Pairs of a random shape and a random config; the environment may ask for more.
int RandomPairs() {
  const char* text = std::getenv("TUNEFLEET_SPACE_PAIRS");
  return text == nullptr ? 2000 : std::max(1, std::atoi(text));
}

std::string Describe(const ScheduleSpace& space, const Values& values) {
  std::string text = space.name();
  for (size_t i = 0; i < values.size(); ++i) absl::StrAppend(&text, " ", space.knobs()[i], "=", values[i]);
  return text;
}

absl::Status CheckConfig(const v1::Workload& workload, const ScheduleSpace& space, const Values& values, bool lowered) {
  absl::StatusOr<v1::Schedule> schedule = space.ToSchedule(values);
  if (!schedule.ok()) return schedule.status();
  absl::StatusOr<LoopNest> nest = Replay(space.Fresh(), *schedule);
  if (!nest.ok()) return nest.status();
  if (const absl::Status valid = Validate(*nest); !valid.ok()) return valid;
  if (!lowered) return CheckNest(workload, *nest, schedule->implementation());
  absl::StatusOr<LoweredNest> low = Lower(*nest);
  if (!low.ok()) return low.status();
  return CheckNest(workload, low->nest, schedule->implementation());
}

void CheckShapes(const std::vector<std::string>& ops, uint64_t seed) {
  std::mt19937_64 random(seed);
  for (const std::string& op : ops) {
    const absl::StatusOr<v1::Workload> parsed = ParseOperator(op);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    for (const v1::Target& target : {PlainTarget(2), Avx2Target(1), Avx512Target(2), DotProductTarget(2)}) {
      const absl::StatusOr<v1::Workload> workload = ResolveLayouts(*parsed, target);
      ASSERT_TRUE(workload.ok()) << workload.status();
      const auto spaces = SpacesFor(*workload, target);
      ASSERT_TRUE(spaces.ok()) << spaces.status();
      for (const std::unique_ptr<ScheduleSpace>& space : *spaces) {
        for (int i = 0; i < kConfigsPerShape; ++i) {
          const Values values = RandomValues(*space, random);
          const absl::Status checked = CheckConfig(*workload, *space, values, i % 2 == 1);
          ASSERT_TRUE(checked.ok()) << checked << "\n" << WorkloadKey(*workload) << "\n" << Describe(*space, values);
        }
      }
    }
  }
}

template <typename T>
T Pick(std::mt19937_64& random, const std::vector<T>& values) {
  return values[absl::Uniform<size_t>(random, 0, values.size())];
}

// Images of up to `most` rows and columns, channels up to `most_channels`.
std::string RandomConvolution(std::mt19937_64& random, bool depthwise, int most, int most_channels) {
  using Texts = std::vector<std::string>;
  while (true) {
    const bool pointwise = absl::Bernoulli(random, 0.125);
    const int kh = pointwise ? 1 : Pick<int>(random, {1, 3, 3, 3, 5, 2});
    const int kw = pointwise ? 1 : Pick<int>(random, {1, 3, 3, 3, 5, 2});
    const int d = Pick<int>(random, {1, 1, 1, 2});
    const int ph = pointwise ? 0 : Pick<int>(random, {0, 1, kh / 2});
    const int pw = pointwise ? 0 : Pick<int>(random, {0, 1, kw / 2});
    const int stride = pointwise ? 1 : Pick<int>(random, {1, 1, 2});
    const int h = absl::Uniform(random, 1, most + 1);
    const int w = absl::Uniform(random, 1, most + 1);
    if (h + 2 * ph <= d * (kh - 1) || w + 2 * pw <= d * (kw - 1)) continue;
    const auto channels = [&] { return absl::Uniform(random, 1, most_channels + 1); };
    return absl::StrCat(
        depthwise ? "depthwise_" : "", "conv2d(n=", Pick<int>(random, {1, 1, 2}), ",h=", h, ",w=", w, ",",
        depthwise ? absl::StrCat("c=", channels()) : absl::StrCat("ci=", channels(), ",co=", channels()), ",kh=", kh,
        ",kw=", kw, ",sh=", stride, ",sw=", Pick<int>(random, {stride, stride, 1}), ",ph=", ph, ",pw=", pw, ",d=", d,
        Pick<std::string>(random, Texts{"", "", ",layout=NCHW", ",layout=NHWC", ",layout=NCHW8c", ",layout=NCHW32c"}),
        ")", Pick<std::string>(random, Texts{"", "+relu", "+bias+relu"}));
  }
}

// Many channels, which AVX-512 takes several registers for, on an image of few pixels; or the other way round.
std::string RandomConvolutionOfPairs(std::mt19937_64& random, bool depthwise) {
  const bool deep = absl::Bernoulli(random, 0.25);
  return RandomConvolution(random, depthwise, deep ? 3 : 5, deep ? 70 : 10);
}

// Extents up to `most`, the depth from `shallowest` on.
std::string RandomMatmul(std::mt19937_64& random, bool dense, int most, int shallowest = 1) {
  const auto extent = [&](int least = 1) { return least + absl::Uniform(random, 0, most); };
  const std::string shape = absl::StrCat("m=", extent(), ",n=", extent(), ",k=", extent(shallowest));
  const std::string epilogue = Pick<std::string>(random, std::vector<std::string>{"", "+bias", "+relu", "+bias+relu"});
  if (dense) return absl::StrCat("dense(", shape, ")", epilogue);
  return absl::StrCat("matmul(batch=", Pick<int>(random, {1, 2}), ",", shape, ",ta=", Pick<int>(random, {0, 1}),
                      ",tb=", Pick<int>(random, {0, 1}), ")", epilogue);
}

std::vector<std::string> RandomConvolutions(int count, bool depthwise, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::string> ops;
  for (int i = 0; i < count; ++i) ops.push_back(RandomConvolution(random, depthwise, 9, 18));
  return ops;
}

// Depths from `shallowest` on.
std::vector<std::string> RandomMatmuls(int count, bool dense, uint64_t seed, int shallowest = 1) {
  std::mt19937_64 random(seed);
  const int most = shallowest == 1 ? 40 : 12;
  std::vector<std::string> ops;
  for (int i = 0; i < count; ++i) ops.push_back(RandomMatmul(random, dense, most, shallowest));
  return ops;
}

TEST(SpaceLegalityTest, RandomPairsOfShapeAndConfig) {
  const int pairs = RandomPairs();
  std::mt19937_64 random(8);
  std::map<std::string, int> per_space;
  for (int pair = 0; pair < pairs; ++pair) {
    const int kind = absl::Uniform(random, 0, 10);
    const std::string op = kind < 6   ? RandomConvolutionOfPairs(random, false)
                           : kind < 7 ? RandomConvolutionOfPairs(random, true)
                           : kind < 8 ? RandomMatmul(random, absl::Bernoulli(random, 0.5), 50)
                           : kind < 9 ? RandomMatmul(random, false, 12, 120)
                                      : RandomMatmul(random, absl::Bernoulli(random, 0.5), 12);
    v1::Target target = Pick<v1::Target>(random, {PlainTarget(2), Avx2Target(1), Avx2Target(2), Avx512Target(2)});
    if (absl::Bernoulli(random, 0.5)) target = WithCaches(target, 512 << absl::Uniform(random, 0, 4), 1 << 14);
    const absl::StatusOr<v1::Workload> workload = ResolveLayouts(ParseOperator(op).value(), target);
    ASSERT_TRUE(workload.ok()) << op << ": " << workload.status();
    const auto spaces = SpacesFor(*workload, target);
    ASSERT_TRUE(spaces.ok()) << op << ": " << spaces.status();
    const ScheduleSpace& space = *(*spaces)[absl::Uniform<size_t>(random, 0, spaces->size())];
    const Values values = RandomValues(space, random);
    const absl::Status checked = CheckConfig(*workload, space, values, pair % 2 == 1);
    ASSERT_TRUE(checked.ok()) << checked << "\n" << WorkloadKey(*workload) << "\n" << Describe(space, values);
    ++per_space[space.name()];
  }
  EXPECT_GE(per_space.size(), 12u);
  std::cout << pairs << " pairs of shape and config, in " << per_space.size() << " spaces\n";
}

TEST(SpaceLegalityTest, Convolutions) { CheckShapes(RandomConvolutions(12, false, 1), 1); }

// Blocks of input and output channels, whose weights stay in a cache.
TEST(SpaceLegalityTest, ConvolutionsInCacheBlocks) {
  std::mt19937_64 random(9);
  std::set<std::pair<bool, bool>> blocked;  // inputs, outputs
  for (const std::string op : {"conv2d(n=2,h=5,w=4,ci=16,co=32,k=3,p=1,layout=NCHW8c)+bias+relu",
                               "conv2d(h=5,w=4,ci=16,co=16,k=3,s=2,p=1,layout=NCHW4c)",
                               "conv2d(h=4,w=5,ci=8,co=32,kh=1,kw=3,pw=1,layout=NCHW)+relu",
                               "conv2d(n=2,h=4,w=4,ci=24,co=12,k=1,layout=NCHW4c)+bias"}) {
    for (const int64_t l1_bytes : {1 << 11, 1 << 12, 1 << 14}) {
      const v1::Target target = WithCaches(Avx2Target(l1_bytes == 1 << 12 ? 1 : 2), l1_bytes, 2 * l1_bytes);
      const v1::Workload workload = ResolveLayouts(ParseOperator(op).value(), target).value();
      const auto spaces = SpacesFor(workload, target).value();
      const ScheduleSpace& space = *spaces[0];
      ASSERT_EQ(space.name(), "x86.conv2d.direct");
      const auto knob = [&](const char* name) {
        return std::ranges::find(space.knobs(), name) - space.knobs().begin();
      };
      for (int i = 0; i < 4 * kConfigsPerShape; ++i) {
        const Values values = RandomValues(space, random);
        const auto is_blocked = [&](const char* name) {
          const Values prefix(values.begin(), values.begin() + knob(name));
          return values[prefix.size()] < space.Domain(prefix).back();
        };
        blocked.insert({is_blocked("ci_block"), is_blocked("oc_block")});
        const absl::Status checked = CheckConfig(workload, space, values, i % 2 == 1);
        ASSERT_TRUE(checked.ok()) << checked << "\n" << op << "\n" << Describe(space, values);
      }
    }
  }
  EXPECT_EQ(blocked.size(), 4u);
}

TEST(SpaceLegalityTest, ImageConvolutions) {
  CheckShapes({"conv2d(h=9,w=8,ci=3,co=18,k=3,s=2,p=1)", "conv2d(h=7,w=7,ci=1,co=5,k=5,p=2)+bias",
               "conv2d(h=9,w=9,ci=4,co=16,k=7,s=2,p=3)+relu"},
              2);
}
TEST(SpaceLegalityTest, WinogradConvolutions) {
  CheckShapes({"conv2d(h=9,w=13,ci=17,co=9,k=3,p=1,layout=NCHW8c)+bias+relu",
               "conv2d(n=2,h=7,w=7,ci=5,co=13,k=3,layout=NCHW4c)+relu", "conv2d(h=3,w=3,ci=1,co=1,k=3)",
               "conv2d(h=9,w=7,ci=7,co=6,k=3,s=2,p=1,layout=NCHW4c)"},
              7);
}
TEST(SpaceLegalityTest, PointwiseConvolutions) {
  CheckShapes(
      {"conv2d(n=2,h=5,w=7,ci=19,co=13,k=1,layout=NCHW)+bias+relu", "conv2d(h=3,w=11,ci=130,co=5,k=1,layout=NCHW)+bias",
       "conv2d(n=2,h=5,w=3,ci=17,co=21,k=1,layout=NHWC)+bias+relu", "conv2d(h=1,w=1,ci=7,co=1,k=1,layout=NHWC)",
       "conv2d(n=3,h=1,w=1,ci=1,co=9,k=1,layout=NCHW)"},
      8);
}
TEST(SpaceLegalityTest, SingleElements) {
  CheckShapes(
      {"conv2d(h=1,w=1,ci=1,co=1,k=1,layout=NCHW)", "conv2d(h=5,w=5,ci=1,co=1,k=3,p=1,layout=NCHW)+bias",
       "conv2d(h=4,w=1,ci=5,co=1,kh=3,kw=1,ph=1)", "conv2d(h=3,w=3,ci=2,co=3,k=1,p=2,s=3,layout=NCHW)",
       "depthwise_conv2d(h=1,w=1,c=1,k=1,layout=NCHW)", "depthwise_conv2d(h=3,w=5,c=1,k=3)+relu", "matmul(m=1,n=1,k=1)",
       "matmul(m=5,n=1,k=33,tb=1)", "matmul(m=1,n=7,k=2,ta=1)", "dense(m=1,n=1,k=7)+bias"},
      6);
}
TEST(SpaceLegalityTest, DepthwiseConvolutions) { CheckShapes(RandomConvolutions(12, true, 3), 3); }
TEST(SpaceLegalityTest, Matmuls) { CheckShapes(RandomMatmuls(16, false, 4), 4); }
TEST(SpaceLegalityTest, DeepMatmulsInSeveralPasses) {
  CheckShapes(RandomMatmuls(8, false, 7, 129), 7);
  CheckShapes(RandomMatmuls(4, false, 8, 250), 8);
  CheckShapes(RandomMatmuls(4, true, 9, 150), 9);
}
TEST(SpaceLegalityTest, SkinnyMatmuls) {
  CheckShapes(
      {"matmul(m=19,n=1,k=64)", "matmul(m=7,n=3,k=53)+bias+relu", "matmul(batch=2,m=1,n=21,k=77,tb=1)+relu",
       "matmul(m=1,n=1,k=40,ta=1)+bias", "matmul(m=5,n=18,k=96,tb=1)", "matmul(batch=2,m=3,n=8,k=32,ta=0,tb=1)"},
      9);
}

std::vector<std::string> WithInt8(std::vector<std::string> ops) {
  for (std::string& op : ops) op.insert(op.find(')'), ",dtype=int8");
  return ops;
}

TEST(SpaceLegalityTest, Int8Convolutions) {
  CheckShapes(WithInt8(RandomConvolutions(12, false, 11)), 11);
  CheckShapes(WithInt8(RandomConvolutions(4, true, 12)), 12);
}
TEST(SpaceLegalityTest, Int8Matmuls) {
  CheckShapes(WithInt8(RandomMatmuls(12, false, 13)), 13);
  CheckShapes(WithInt8(RandomMatmuls(4, true, 14)), 14);
  CheckShapes(
      WithInt8({"matmul(m=9,n=24,k=20)", "matmul(batch=2,m=7,n=4,k=152,tb=1)+relu", "dense(m=5,n=12,k=148)+bias",
                "dense(m=1,n=8,k=260)", "matmul(m=3,n=32,k=8)+bias", "dense(m=9,n=40,k=36)"}),
      15);
}
TEST(SpaceLegalityTest, DenseLayers) { CheckShapes(RandomMatmuls(8, true, 5), 5); }

}  // namespace
}  // namespace tunefleet::codegen
