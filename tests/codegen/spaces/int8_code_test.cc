// int8 operators on AArch64: dot-product instructions where the target has them and nowhere else, and outputs that are
// the interpreter's, bit by bit, under an emulator.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "codegen/explain/disassembly.h"
#include "codegen/llvm/target_text.h"
#include "codegen/operators/workload.h"
#include "codegen/spaces/schedule_space.h"
#include "tests/codegen/interpreter/interpreter.h"
#include "tests/codegen/llvm/emulated_kernel.h"
#include "tests/codegen/spaces/random_inputs.h"
#include "tests/support/candidate.h"

namespace tunefleet::codegen {
namespace {

constexpr int kConfigs = 6;  // per space

const char* const kTargets[] = {"aarch64-linux-gnu -mcpu=cortex-a76", "aarch64-linux-gnu -mcpu=cortex-a53"};
bool HasDotProduct(const v1::Target& target) {
  return std::find(target.features().begin(), target.features().end(), "dotprod") != target.features().end();
}

struct Int8Case {
  std::string op;
  bool dots;  // products of neighbouring elements can be summed up by one instruction
};

// Random configs of every space of the operator.
void ForEachCandidate(const v1::Workload& workload, const v1::Target& target,
                      const std::function<void(const Candidate&)>& visit) {
  std::mt19937_64 random(11);
  const auto spaces = SpacesFor(workload, target);
  ASSERT_TRUE(spaces.ok()) << spaces.status();
  for (const std::unique_ptr<ScheduleSpace>& space : *spaces) {
    for (int i = 0; i < kConfigs; ++i) {
      const Values values = RandomValues(*space, random);
      const auto pipeline = i % 2 == 0 ? PassPipeline::kLight : PassPipeline::kO3;
      const absl::StatusOr<Candidate> candidate = CompileCandidate(*space, values, target, pipeline);
      ASSERT_TRUE(candidate.ok()) << candidate.status();
      visit(*candidate);
    }
  }
}

class Int8CodeTest : public ::testing::TestWithParam<Int8Case> {};

TEST_P(Int8CodeTest, HasDotProductsWhereTheTargetHasThemAndNowhereElse) {
  for (const char* text : kTargets) {
    const v1::Target target = ParseTarget(text).value();
    const v1::Workload workload = ResolveLayouts(ParseOperator(GetParam().op).value(), target).value();
    ForEachCandidate(workload, target, [&](const Candidate& candidate) {
      const auto instructions = Disassemble(candidate.artifact.code, target.triple());
      ASSERT_TRUE(instructions.ok()) << instructions.status();
      const bool found = std::any_of(instructions->begin(), instructions->end(), [](const Instruction& instruction) {
        return absl::StrContains(instruction.text, "sdot");
      });
      // A convolution's own plain layout has no neighbouring channels; the copies in blocks have.
      const bool direct_on_plain = workload.tensors(0).layout() == "NCHW" &&
                                   candidate.nest.FindBuffer("data_blocked") < 0 &&
                                   !absl::EndsWith(candidate.space->name(), "matmul");
      EXPECT_EQ(found, GetParam().dots && !direct_on_plain && HasDotProduct(target))
          << text << " " << candidate.Config();
    });
  }
}

TEST_P(Int8CodeTest, GivesTheInterpretersValuesUnderAnEmulator) {
  const absl::StatusOr<std::unique_ptr<EmulatedMachine>> machine = EmulatedMachine::Make();
  if (!machine.ok()) GTEST_SKIP() << machine.status().message();
  std::mt19937_64 random(7);
  for (const char* text : kTargets) {
    const v1::Target target = ParseTarget(text).value();
    const v1::Workload workload = ResolveLayouts(ParseOperator(GetParam().op).value(), target).value();
    const Buffers inputs = RandomIntegers(workload, random);
    ForEachCandidate(workload, target, [&](const Candidate& candidate) {
      const absl::StatusOr<Buffers> expected = Interpret(candidate.space->Fresh(), inputs);
      ASSERT_TRUE(expected.ok()) << expected.status();
      const absl::StatusOr<Buffers> outputs = (*machine)->Run(candidate.nest, candidate.artifact, inputs);
      ASSERT_TRUE(outputs.ok()) << outputs.status() << candidate.Config();
      EXPECT_EQ(*outputs, *expected) << text << " " << candidate.Config();
    });
  }
}

INSTANTIATE_TEST_SUITE_P(
    Operators, Int8CodeTest,
    ::testing::Values(Int8Case{"conv2d(h=7,w=5,ci=7,co=19,k=3,p=1,dtype=int8)", true},
                      Int8Case{"conv2d(h=9,w=8,ci=20,co=33,k=3,s=2,p=1,dtype=int8,layout=NCHW4c)+bias+relu", true},
                      Int8Case{"conv2d(n=2,h=6,w=7,ci=5,co=9,k=1,dtype=int8,layout=NCHW32c)", true},
                      Int8Case{"conv2d(h=6,w=7,ci=21,co=18,k=3,p=1,dtype=int8,layout=NHWC)+bias", true},
                      Int8Case{"conv2d(h=6,w=6,ci=12,co=10,k=1,dtype=int8,layout=NCHW)", true},
                      Int8Case{"conv2d(h=9,w=9,ci=3,co=16,k=3,s=2,p=1,dtype=int8)+relu", false},
                      Int8Case{"depthwise_conv2d(h=7,w=6,c=18,k=3,p=1,dtype=int8)", false},
                      Int8Case{"dense(m=13,n=36,k=148,dtype=int8)+bias+relu", true},
                      Int8Case{"dense(m=1,n=20,k=300,dtype=int8)", true},
                      Int8Case{"dense(m=5,n=7,k=30,dtype=int8)", false},
                      Int8Case{"matmul(batch=2,m=11,n=40,k=24,dtype=int8)", true},
                      Int8Case{"matmul(m=9,n=28,k=276,tb=1,dtype=int8)+relu", true},
                      Int8Case{"matmul(m=9,n=28,k=20,ta=1,dtype=int8)", false}),
    [](const ::testing::TestParamInfo<Int8Case>& info) { return absl::StrCat("Operator", info.index); });

}  // namespace
}  // namespace tunefleet::codegen
