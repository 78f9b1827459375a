// dot.4x4.s8: what matches keeps its values, interpreted and as AArch64's instruction; what does not is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/random/distributions.h"
#include "absl/strings/str_cat.h"
#include "codegen/ir/printer.h"
#include "codegen/ir/validator.h"
#include "codegen/llvm/llvm_code_generator.h"
#include "codegen/llvm/target_text.h"
#include "codegen/operators/implementation.h"
#include "codegen/operators/workload.h"
#include "codegen/primitives/schedule.h"
#include "tests/codegen/interpreter/interpreter.h"
#include "tests/codegen/llvm/disassembler.h"
#include "tests/codegen/llvm/emulated_kernel.h"

namespace tunefleet::codegen {
namespace {

using ::testing::HasSubstr;

constexpr char kDot[] = "dot.4x4.s8";

LoopNest Fresh(const std::string& op) { return FreshNest(ParseOperator(op).value(), "direct", 1).value(); }
LoopNest Dense(int64_t n, int64_t k, const std::string& dtype = "int8") {
  return Fresh(absl::StrCat("dense(m=3,n=", n, ",k=", k, ",dtype=", dtype, ")"));
}

// A dense layer's weight in the layout, in tiles of `lanes` outputs and `products` inputs.
ScheduleBuilder Tiled(std::vector<std::string> layout, int64_t lanes = 4, int64_t products = 4) {
  ScheduleBuilder b("direct", 1);
  if (!layout.empty()) b.TransformLayout("weight", std::move(layout), "packed");
  b.Split("n", {0, lanes}, {"n.o", "n.v"}).Split("k", {0, products}, {"k.o", "k.p"});
  return b.Reorder({"m", "n.o", "k.o", "n.v", "k.p"}).DecomposeReduction("dense", "k.o", "init");
}
const std::vector<std::string> kPacked = {"0/4", "1/4", "0%4", "1%4"};

void ExpectRefused(const LoopNest& nest, ScheduleBuilder schedule, const std::string& words) {
  const absl::StatusOr<LoopNest> result = Replay(nest, schedule.Tensorize("n.v", kDot).schedule());
  ASSERT_FALSE(result.ok()) << Print(*result);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(result.status().message()), HasSubstr(words));
}

Buffers RandomBytes(const LoopNest& nest, std::mt19937_64& random) {
  Buffers inputs;
  for (const Buffer& buffer : nest.buffers) {
    if (buffer.role != Role::kInput && buffer.role != Role::kConstant) continue;
    std::vector<double>& values = inputs[buffer.name];
    for (int64_t i = 0; i < buffer.NumElements(); ++i) {
      values.push_back(static_cast<double>(absl::Uniform<int64_t>(absl::IntervalClosed, random, -128, 127)));
    }
  }
  return inputs;
}

TEST(DotProductTest, IsPrintedInTheLoopNest) {
  const absl::StatusOr<LoopNest> nest = Replay(Dense(8, 16), Tiled(kPacked).Tensorize("n.v", kDot).schedule());
  ASSERT_TRUE(nest.ok()) << nest.status();
  EXPECT_TRUE(Validate(*nest).ok());
  EXPECT_THAT(Print(*nest), HasSubstr("for n.v in [0, 4) tensorized by dot.4x4.s8:"));
  EXPECT_THAT(Print(*nest), HasSubstr("for k.p in [0, 4) tensorized by dot.4x4.s8:"));
}

TEST(DotProductTest, RefusesWhatIsNotTheIntrinsic) {
  ExpectRefused(Dense(8, 16), Tiled({}), "a stride of 16 along loop 'n.v', expected 4");
  ExpectRefused(Dense(8, 16), Tiled({"0/4", "1/4", "1%4", "0%4"}), "a stride of 1 along loop 'n.v', expected 4");
  ExpectRefused(Dense(8, 16), Tiled({"0/4", "1/2", "0%4", "1%2"}), "a stride of 2 along loop 'n.v', expected 4");
  ExpectRefused(Dense(8, 16), Tiled(kPacked, 8), "another range");
  ExpectRefused(Dense(8, 16), Tiled(kPacked, 4, 2), "another range");
  ExpectRefused(Dense(8, 16, "float32"), Tiled(kPacked), "another");
  ExpectRefused(Dense(8, 18), Tiled(kPacked), "some of the iterations");
  ExpectRefused(Dense(10, 16), Tiled(kPacked), "some of the iterations");
  ScheduleBuilder whole("direct", 1);  // the init is still the block's own
  whole.TransformLayout("weight", kPacked, "packed");
  whole.Split("n", {0, 4}, {"n.o", "n.v"}).Split("k", {0, 4}, {"k.o", "k.p"});
  ExpectRefused(Dense(8, 16), whole.Reorder({"m", "n.o", "k.o", "n.v", "k.p"}), "init");
}

TEST(DotProductTest, TargetsWithoutTheInstructionRefuse) {
  const absl::StatusOr<LoopNest> nest = Replay(Dense(8, 16), Tiled(kPacked).Tensorize("n.v", kDot).schedule());
  ASSERT_TRUE(nest.ok()) << nest.status();
  v1::Target unlisted;  // what its cpu has is not known
  unlisted.set_triple("aarch64-linux-gnu");
  for (const v1::Target& target : {ParseTarget("x86_64-linux-gnu -mcpu=znver5").value(),
                                   ParseTarget("aarch64-linux-gnu -mcpu=cortex-a53").value(), unlisted}) {
    LlvmCodeGenerator generator;
    const absl::Status status = generator.Generate(*nest, target).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << target.ShortDebugString();
    EXPECT_THAT(std::string(status.message()), HasSubstr("needs dotprod"));
  }
}

// A row of 16 inputs is loaded once for the four steps that it serves.
TEST(DotProductTest, StepsShareARowOfInputs) {
  const v1::Target target = ParseTarget("aarch64-linux-gnu -mcpu=cortex-a76").value();
  ScheduleBuilder b("direct", 1);
  b.TransformLayout("weight", kPacked, "packed");
  b.Split("n", {0, 4}, {"n.o", "n.v"}).Split("k", {0, 4, 4}, {"k.o", "k.u", "k.p"});
  b.Reorder({"m", "n.o", "k.o", "k.u", "n.v", "k.p"}).DecomposeReduction("dense", "k.o", "init");
  b.Unroll("k.u").Tensorize("n.v", kDot);
  const absl::StatusOr<LoopNest> nest = Replay(Dense(8, 64), b.schedule());
  ASSERT_TRUE(nest.ok()) << nest.status();
  LlvmCodeGenerator generator;
  const absl::StatusOr<Artifact> artifact = generator.Generate(*nest, target);
  ASSERT_TRUE(artifact.ok()) << artifact.status();
  int by_element = 0, broadcasts = 0;
  for (const Instruction& instruction : Disassemble(*artifact, target)) {
    if (instruction.text.find("sdot") != std::string::npos && instruction.text.find(".4b[") != std::string::npos) {
      ++by_element;
    }
    if (instruction.text.find("ld1r") != std::string::npos) ++broadcasts;
  }
  EXPECT_EQ(by_element, 4);
  EXPECT_EQ(broadcasts, 0);
}

// Values of the plain loops, of the tensorized ones, and of a naive sum; under an emulator when there is one.
TEST(DotProductTest, KeepsValues) {
  const absl::StatusOr<std::unique_ptr<EmulatedMachine>> machine = EmulatedMachine::Make();
  std::mt19937_64 random(5);
  const v1::Target target = ParseTarget("aarch64-linux-gnu -mcpu=cortex-a76").value();
  for (int i = 0; i < 20; ++i) {
    const int64_t n = 4 * absl::Uniform(random, 1, 6);
    const int64_t k = 4 * absl::Uniform(random, 1, 12);
    const LoopNest fresh = Dense(n, k);
    const absl::StatusOr<LoopNest> nest = Replay(fresh, Tiled(kPacked).Tensorize("n.v", kDot).schedule());
    ASSERT_TRUE(nest.ok()) << nest.status();
    Buffers inputs = RandomBytes(fresh, random);
    if (i == 0) {  // the largest sums there are
      for (auto& [name, values] : inputs) values.assign(values.size(), -128);
    }
    std::vector<double> sums;
    for (int64_t row = 0; row < 3; ++row) {
      for (int64_t column = 0; column < n; ++column) {
        int32_t sum = 0;
        for (int64_t j = 0; j < k; ++j) {
          sum += static_cast<int32_t>(inputs["data"][row * k + j]) *
                 static_cast<int32_t>(inputs["weight"][column * k + j]);
        }
        sums.push_back(sum);
      }
    }
    const absl::StatusOr<Buffers> interpreted = Interpret(*nest, inputs);
    ASSERT_TRUE(interpreted.ok()) << interpreted.status();
    EXPECT_EQ(interpreted->at("output"), sums);
    LlvmCodeGenerator generator(i % 2 == 0 ? PassPipeline::kLight : PassPipeline::kO3);
    const absl::StatusOr<Artifact> artifact = generator.Generate(*nest, target);
    ASSERT_TRUE(artifact.ok()) << artifact.status();
    if (!machine.ok()) continue;
    const absl::StatusOr<Buffers> emulated = (*machine)->Run(*nest, *artifact, inputs);
    ASSERT_TRUE(emulated.ok()) << emulated.status();
    EXPECT_EQ(emulated->at("output"), sums);
  }
  if (!machine.ok()) GTEST_SKIP() << "not run: " << machine.status().message();
}

// Padding is a guard that is the same for all lanes.
TEST(DotProductTest, GuardsOfWholeStepsStay) {
  const LoopNest fresh = Fresh("conv2d(h=4,w=3,ci=4,co=8,k=3,p=1,layout=NCHW4c,dtype=int8)");
  ScheduleBuilder b("direct", 1);
  b.TransformLayout("weight", {"0/4", "2", "3", "0%4", "1"}, "packed");
  b.Reorder({"n", "co", "oh", "ow", "ci", "kh", "kw", "c", "l"}).DecomposeReduction("conv2d", "ci", "init");
  b.Tensorize("c", kDot);
  const absl::StatusOr<LoopNest> nest = Replay(fresh, b.schedule());
  ASSERT_TRUE(nest.ok()) << nest.status();
  std::mt19937_64 random(3);
  const Buffers inputs = RandomBytes(fresh, random);
  const Buffers expected = Interpret(fresh, inputs).value();
  EXPECT_EQ(Interpret(*nest, inputs).value(), expected);
  const absl::StatusOr<std::unique_ptr<EmulatedMachine>> machine = EmulatedMachine::Make();
  if (!machine.ok()) GTEST_SKIP() << machine.status().message();
  LlvmCodeGenerator generator;
  const absl::StatusOr<Artifact> artifact =
      generator.Generate(*nest, ParseTarget("aarch64-linux-gnu -mcpu=cortex-a76").value());
  ASSERT_TRUE(artifact.ok()) << artifact.status();
  const absl::StatusOr<Buffers> emulated = (*machine)->Run(*nest, *artifact, inputs);
  ASSERT_TRUE(emulated.ok()) << emulated.status();
  EXPECT_EQ(*emulated, expected);
}

}  // namespace
}  // namespace tunefleet::codegen
