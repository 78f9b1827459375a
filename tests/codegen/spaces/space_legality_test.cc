// Every config of a space stands for a legal schedule that computes the workload: random configs of odd little shapes,
// replayed, validated, lowered, and interpreted against the reference.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
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

// Each (config, shape) that is tried; the environment may ask for more.
int ConfigsPerShape() {
  const char* text = std::getenv("TUNEFLEET_CONFIGS_PER_SHAPE");
  return text == nullptr ? 3 : std::max(1, std::atoi(text));
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
    for (const v1::Target& target : {PlainTarget(2), Avx2Target(1), Avx512Target(2)}) {
      const absl::StatusOr<v1::Workload> workload = ResolveLayouts(*parsed, target);
      ASSERT_TRUE(workload.ok()) << workload.status();
      const auto spaces = SpacesFor(*workload, target);
      ASSERT_TRUE(spaces.ok()) << spaces.status();
      for (const std::unique_ptr<ScheduleSpace>& space : *spaces) {
        for (int i = 0; i < ConfigsPerShape(); ++i) {
          const Values values = RandomValues(*space, random);
          const absl::Status checked = CheckConfig(*workload, *space, values, i % 2 == 1);
          ASSERT_TRUE(checked.ok()) << checked << "\n" << WorkloadKey(*workload) << "\n" << Describe(*space, values);
        }
      }
    }
  }
}

std::vector<std::string> RandomConvolutions(int count, bool depthwise, uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto pick = [&](std::vector<int> values) { return values[absl::Uniform<size_t>(random, 0, values.size())]; };
  std::vector<std::string> ops;
  while (ops.size() < static_cast<size_t>(count)) {
    const int kh = pick({1, 3, 3, 5, 2});
    const int kw = pick({1, 3, 3, 5, 2});
    const int d = pick({1, 1, 1, 2});
    const int ph = pick({0, 1, kh / 2});
    const int pw = pick({0, 1, kw / 2});
    const int h = absl::Uniform(random, 3, 10);
    const int w = absl::Uniform(random, 3, 10);
    if (h + 2 * ph <= d * (kh - 1) || w + 2 * pw <= d * (kw - 1)) continue;
    std::string channels = absl::StrCat("ci=", absl::Uniform(random, 3, 21), ",co=", absl::Uniform(random, 3, 21));
    if (depthwise) channels = absl::StrCat("c=", absl::Uniform(random, 3, 21));
    ops.push_back(absl::StrCat(depthwise ? "depthwise_" : "", "conv2d(n=", pick({1, 1, 2}), ",h=", h, ",w=", w, ",",
                               channels, ",kh=", kh, ",kw=", kw, ",sh=", pick({1, 1, 2}), ",sw=", pick({1, 1, 2}),
                               ",ph=", ph, ",pw=", pw, ",d=", d,
                               std::vector<std::string>{"", ",layout=NCHW", ",layout=NCHW8c"}[pick({0, 0, 1, 2})], ")",
                               std::vector<std::string>{"", "+relu", "+bias+relu"}[pick({0, 0, 1, 2})]));
  }
  return ops;
}

// Depths from `shallowest` on.
std::vector<std::string> RandomMatmuls(int count, bool dense, uint64_t seed, int shallowest = 1) {
  std::mt19937_64 random(seed);
  const int largest = shallowest == 1 ? 40 : 12;
  const auto extent = [&](int least = 1) { return least + absl::Uniform(random, 0, largest); };
  std::vector<std::string> ops;
  while (ops.size() < static_cast<size_t>(count)) {
    const std::string shape = absl::StrCat("m=", extent(), ",n=", extent(), ",k=", extent(shallowest));
    const std::string epilogue = std::vector<std::string>{"", "+bias", "+relu", "+bias+relu"}[ops.size() % 4];
    if (dense) {
      ops.push_back(absl::StrCat("dense(", shape, ")", epilogue));
    } else {
      ops.push_back(absl::StrCat("matmul(batch=", 1 + ops.size() % 2, ",", shape, ",ta=", ops.size() / 2 % 2,
                                 ",tb=", ops.size() / 4 % 2, ")", epilogue));
    }
  }
  return ops;
}

TEST(SpaceLegalityTest, Convolutions) { CheckShapes(RandomConvolutions(24, false, 1), 1); }
TEST(SpaceLegalityTest, ImageConvolutions) {
  CheckShapes({"conv2d(h=9,w=8,ci=3,co=18,k=3,s=2,p=1)", "conv2d(h=7,w=7,ci=1,co=5,k=5,p=2)+bias",
               "conv2d(h=9,w=9,ci=4,co=16,k=7,s=2,p=3)+relu"},
              2);
}
TEST(SpaceLegalityTest, WinogradConvolutions) {
  CheckShapes({"conv2d(h=9,w=13,ci=17,co=19,k=3,p=1,layout=NCHW8c)+bias+relu",
               "conv2d(n=2,h=7,w=7,ci=5,co=13,k=3,layout=NCHW4c)+relu",
               "conv2d(h=3,w=5,ci=3,co=40,k=3,p=2,layout=NCHW32c)", "conv2d(h=11,w=6,ci=16,co=32,k=3,p=1)+bias",
               "conv2d(h=3,w=3,ci=1,co=1,k=3)", "conv2d(n=2,h=5,w=8,ci=40,co=16,k=3,ph=1,pw=2,layout=NCHW16c)"},
              7);
}
TEST(SpaceLegalityTest, SingleElements) {
  CheckShapes(
      {"conv2d(h=1,w=1,ci=1,co=1,k=1,layout=NCHW)", "conv2d(h=5,w=5,ci=1,co=1,k=3,p=1,layout=NCHW)+bias",
       "conv2d(h=4,w=1,ci=5,co=1,kh=3,kw=1,ph=1)", "conv2d(h=3,w=3,ci=2,co=3,k=1,p=2,s=3,layout=NCHW)",
       "depthwise_conv2d(h=1,w=1,c=1,k=1,layout=NCHW)", "depthwise_conv2d(h=3,w=5,c=1,k=3)+relu", "matmul(m=1,n=1,k=1)",
       "matmul(m=5,n=1,k=33,tb=1)", "matmul(m=1,n=7,k=2,ta=1)", "dense(m=1,n=1,k=7)+bias"},
      6);
}
TEST(SpaceLegalityTest, DepthwiseConvolutions) { CheckShapes(RandomConvolutions(16, true, 3), 3); }
TEST(SpaceLegalityTest, Matmuls) { CheckShapes(RandomMatmuls(16, false, 4), 4); }
TEST(SpaceLegalityTest, DeepMatmulsInSeveralPasses) {
  CheckShapes(RandomMatmuls(8, false, 7, 129), 7);
  CheckShapes(RandomMatmuls(4, false, 8, 250), 8);
  CheckShapes(RandomMatmuls(4, true, 9, 150), 9);
}
TEST(SpaceLegalityTest, DenseLayers) { CheckShapes(RandomMatmuls(8, true, 5), 5); }

}  // namespace
}  // namespace tunefleet::codegen
