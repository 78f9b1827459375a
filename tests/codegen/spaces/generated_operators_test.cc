// Every operator's generated code: random configs of its spaces on odd little shapes, compiled for this machine and for
// older ones, run, and held bit by bit against the interpreted fresh nest. Values are small integers, so that fp32 is
// exact in any order.
#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "codegen/llvm/llvm_code_generator.h"
#include "codegen/operators/implementation.h"
#include "codegen/operators/workload.h"
#include "codegen/primitives/schedule.h"
#include "codegen/spaces/reference_schedule.h"
#include "codegen/spaces/schedule_space.h"
#include "gtest/gtest.h"
#include "tests/codegen/interpreter/interpreter.h"
#include "tests/codegen/llvm/run_kernel.h"
#include "tests/codegen/spaces/random_inputs.h"
#include "tests/support/candidate.h"

namespace tunefleet::codegen {
namespace {

constexpr int kConfigs = 4;  // per operator and target

std::vector<v1::Target> Targets() {
  std::vector<v1::Target> targets = {HostTarget()};
  targets[0].set_threads(2);
  if (targets[0].triple().rfind("x86_64", 0) != 0) return targets;
  v1::Target avx2 = targets[0];  // half the registers, half as wide
  avx2.set_cpu("haswell");
  avx2.clear_features();
  for (const char* feature : {"avx", "avx2", "fma"}) avx2.add_features(feature);
  targets.push_back(std::move(avx2));
  return targets;
}

// Whether small integers stay exact: the nest's literals are multiples of 1/64. What is not is held to its tolerance by
// winograd_code_test.
bool IsExact(const LoopNest& nest) {
  for (const Buffer& buffer : nest.buffers) {
    for (const double value : buffer.literal) {
      if (value * 64 != std::trunc(value * 64)) return false;
    }
  }
  return true;
}

class GeneratedOperatorTest : public testing::TestWithParam<const char*> {};

TEST_P(GeneratedOperatorTest, GivesTheInterpretersValues) {
  std::mt19937_64 random(7);
  for (const v1::Target& target : Targets()) {
    const v1::Workload workload = ResolveLayouts(ParseOperator(GetParam()).value(), target).value();
    const Buffers inputs = RandomIntegers(workload, random);
    const auto spaces = SpacesFor(workload, target);
    ASSERT_TRUE(spaces.ok()) << spaces.status();
    for (const std::unique_ptr<ScheduleSpace>& space : *spaces) {
      if (!IsExact(space->Fresh())) continue;
      const absl::StatusOr<Buffers> expected = Interpret(space->Fresh(), inputs);
      ASSERT_TRUE(expected.ok()) << expected.status();
      for (int i = 0; i < kConfigs; ++i) {
        const Values values = RandomValues(*space, random);
        const auto pipeline = i % 2 == 0 ? PassPipeline::kLight : PassPipeline::kO3;
        const absl::StatusOr<Candidate> candidate = CompileCandidate(*space, values, target, pipeline);
        ASSERT_TRUE(candidate.ok()) << candidate.status();
        for (const int threads : {0, 2}) {
          ASSERT_EQ(RunKernel(candidate->nest, candidate->artifact, inputs, threads), *expected)
              << target.cpu() << ", " << threads << " threads, " << candidate->Config();
        }
      }
    }
  }
}

TEST_P(GeneratedOperatorTest, TheReferenceInDoublePrecisionGivesTheInterpretersValues) {
  std::mt19937_64 random(8);
  for (const v1::Target& target : Targets()) {
    const v1::Workload workload = ResolveLayouts(ParseOperator(GetParam()).value(), target).value();
    const Buffers inputs = RandomIntegers(workload, random);
    const absl::StatusOr<Buffers> expected = Interpret(FreshNest(workload, "direct", 1).value(), inputs);
    ASSERT_TRUE(expected.ok()) << expected.status();
    const absl::StatusOr<LoopNest> nest =
        Replay(FreshNest(workload, "direct.f64", 1).value(), ReferenceSchedule(workload).value());
    ASSERT_TRUE(nest.ok()) << nest.status();
    LlvmCodeGenerator generator(PassPipeline::kLight);
    const absl::StatusOr<Artifact> artifact = generator.Generate(*nest, target);
    ASSERT_TRUE(artifact.ok()) << artifact.status();
    for (const int threads : {0, 2}) ASSERT_EQ(RunKernel(*nest, *artifact, inputs, threads), *expected);
  }
}

INSTANTIATE_TEST_SUITE_P(
    OddShapes, GeneratedOperatorTest,
    testing::Values(
        "conv2d(h=7,w=5,ci=7,co=11,k=3,p=1)", "conv2d(h=13,w=11,ci=17,co=19,k=1)", "conv2d(h=1,w=1,ci=1,co=1,k=1)",
        "conv2d(h=9,w=8,ci=3,co=18,k=3,s=2,p=1)+relu",
        "conv2d(n=2,h=7,w=9,ci=5,co=19,kh=1,kw=5,sh=1,sw=2,pw=2,layout=NCHW)+bias+relu",
        "conv2d(n=2,h=7,w=9,ci=21,co=19,k=3,p=1,layout=NHWC)+bias+relu",
        "conv2d(n=2,h=5,w=9,ci=21,co=19,k=1,layout=NCHW)+bias+relu",
        "conv2d(n=2,h=3,w=7,ci=130,co=35,k=1,layout=NHWC)+bias", "conv2d(h=9,w=17,ci=18,co=33,k=3,s=2,p=1,layout=NCHW)",
        "depthwise_conv2d(h=7,w=11,c=21,k=3,p=1,layout=NHWC)",
        "conv2d(h=8,w=9,ci=4,co=17,k=3,d=2,p=2,layout=NCHW8c)+bias",
        "conv2d(n=3,h=6,w=6,ci=20,co=5,k=5,s=3,p=2,layout=NCHW16c)",
        "depthwise_conv2d(n=2,h=7,w=11,c=13,k=3,s=2,p=1)+bias",
        "depthwise_conv2d(h=11,w=23,c=3,kh=1,kw=5,pw=2,layout=NCHW)+relu", "depthwise_conv2d(h=7,w=7,c=1,k=3,d=2,p=1)",
        "matmul(m=7,n=13,k=11)", "matmul(m=1,n=1,k=1)", "matmul(batch=3,m=5,n=37,k=17,ta=1)+bias",
        "matmul(m=31,n=19,k=23,tb=1)+relu", "matmul(batch=2,m=17,n=3,k=29,ta=1,tb=1)",
        "matmul(m=9,n=35,k=150)+bias+relu", "matmul(m=6,n=19,k=261,ta=1,tb=1)", "matmul(m=7,n=48,k=32,tb=1)",
        "matmul(batch=2,m=3,n=80,k=144,tb=1)+relu", "matmul(m=19,n=1,k=100)",
        "matmul(batch=2,m=3,n=21,k=77,tb=1)+bias+relu", "dense(m=1,n=41,k=19)+bias+relu", "dense(m=13,n=7,k=5)",
        "conv2d(h=7,w=5,ci=7,co=11,k=3,p=1,dtype=int8)", "conv2d(h=9,w=8,ci=3,co=18,k=3,s=2,p=1,dtype=int8)+bias+relu",
        "conv2d(n=2,h=7,w=9,ci=21,co=19,k=3,p=1,layout=NHWC,dtype=int8)+bias",
        "conv2d(h=5,w=7,ci=20,co=9,k=1,layout=NCHW,dtype=int8)+relu",
        "depthwise_conv2d(n=2,h=7,w=11,c=13,k=3,s=2,p=1,dtype=int8)", "matmul(m=7,n=13,k=11,dtype=int8)",
        "matmul(m=19,n=1,k=100,dtype=int8)", "matmul(batch=2,m=17,n=32,k=48,ta=1,tb=1,dtype=int8)+relu",
        "matmul(m=9,n=64,k=272,tb=1,dtype=int8)", "dense(m=13,n=36,k=150,dtype=int8)+bias"),
    [](const testing::TestParamInfo<const char*>& info) { return absl::StrCat("Operator", info.index); });

}  // namespace
}  // namespace tunefleet::codegen
