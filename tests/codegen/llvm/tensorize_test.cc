// tensorize: what matches an intrinsic keeps its values, as loops and as its implementation; what does not is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "absl/random/distributions.h"
#include "absl/strings/str_cat.h"
#include "codegen/ir/printer.h"
#include "codegen/ir/tensor_intrinsic.h"
#include "codegen/ir/tree.h"
#include "codegen/ir/validator.h"
#include "codegen/llvm/llvm_code_generator.h"
#include "codegen/operators/implementation.h"
#include "codegen/operators/workload.h"
#include "codegen/primitives/schedule.h"
#include "tests/codegen/interpreter/interpreter.h"
#include "tests/codegen/llvm/disassembler.h"
#include "tests/codegen/llvm/run_kernel.h"

namespace tunefleet::codegen {
namespace {

using ::testing::HasSubstr;

v1::Target Avx512Target() {
  v1::Target target;
  target.set_triple("x86_64-linux-gnu");
  target.set_cpu("skylake-avx512");
  for (const char* feature : {"avx", "avx2", "avx512bw", "avx512dq", "avx512f", "avx512vl", "fma"}) {
    target.add_features(feature);
  }
  return target;
}

LoopNest Product(int64_t n, int64_t k, bool transposed) {
  const std::string op = absl::StrCat("matmul(m=2,n=", n, ",k=", k, ",tb=", transposed ? 1 : 0, ")");
  return FreshNest(ParseOperator(op).value(), "direct", 1).value();
}

// B copied with its dimensions exchanged (or in another layout), in tiles of `rows` by `columns`.
ScheduleBuilder Packing(std::vector<std::string> terms, int64_t rows, int64_t columns) {
  ScheduleBuilder b("direct", 1);
  b.CacheRead("matmul", "b", "workspace", "p").TransformLayout("p", std::move(terms), "p");
  b.Split("p.d1", {0, rows}, {"r.o", "r.i"}).Split("p.d2", {0, columns}, {"c.o", "c.i"});
  return b.Reorder({"r.o", "c.o", "r.i", "c.i"});
}
ScheduleBuilder Transposing() { return Packing({"0", "2", "1"}, 16, 16); }

absl::StatusOr<LoopNest> Try(const LoopNest& nest, const ScheduleBuilder& schedule) {
  return Replay(nest, schedule.schedule());
}

void ExpectRefused(const LoopNest& nest, const ScheduleBuilder& schedule, absl::StatusCode code,
                   const std::string& words) {
  const absl::StatusOr<LoopNest> result = Try(nest, schedule);
  ASSERT_FALSE(result.ok()) << Print(*result);
  EXPECT_EQ(result.status().code(), code);
  EXPECT_THAT(std::string(result.status().message()), HasSubstr(words));
}

Buffers SmallIntegers(const LoopNest& nest, std::mt19937_64& random) {
  Buffers inputs;
  for (const Buffer& buffer : nest.buffers) {
    if (buffer.role != Role::kInput) continue;
    std::vector<double>& values = inputs[buffer.name];
    for (int64_t i = 0; i < buffer.NumElements(); ++i) {
      values.push_back(static_cast<double>(absl::Uniform<int64_t>(absl::IntervalClosed, random, -3, 3)));
    }
  }
  return inputs;
}

constexpr absl::StatusCode kRefused = absl::StatusCode::kFailedPrecondition;

TEST(TensorizeTest, IsPrintedInTheLoopNest) {
  const absl::StatusOr<LoopNest> nest =
      Try(Product(32, 48, true), Transposing().Tensorize("r.i", "transpose.16x16.f32"));
  ASSERT_TRUE(nest.ok()) << nest.status();
  EXPECT_TRUE(Validate(*nest).ok());
  EXPECT_THAT(Print(*nest), HasSubstr("for r.i in [0, 16) tensorized by transpose.16x16.f32:"));
  EXPECT_THAT(Print(*nest), HasSubstr("for c.i in [0, 16) tensorized by transpose.16x16.f32:"));
}

TEST(TensorizeTest, RefusesWhatIsNotTheIntrinsic) {
  const LoopNest nest = Product(32, 48, true);
  const auto transpose = [](ScheduleBuilder b, const std::string& loop = "r.i") {
    return b.Tensorize(loop, "transpose.16x16.f32");
  };
  ExpectRefused(nest, Transposing().Tensorize("r.i", "gather"), absl::StatusCode::kNotFound, "transpose.16x16.f32");
  ExpectRefused(nest, transpose(Transposing(), "x"), absl::StatusCode::kNotFound, "x");
  ExpectRefused(nest, transpose(Packing({"0", "2", "1"}, 8, 16)), kRefused, "another range");
  ExpectRefused(nest, transpose(Transposing(), "c.i"), kRefused, "is missing");
  ExpectRefused(nest, transpose(Packing({"0", "1", "2"}, 16, 16)), kRefused, "expected 1");
  ExpectRefused(nest, transpose(Packing({"0", "1%4", "2", "1/4"}, 16, 16)), kRefused, "not linear");
  ExpectRefused(nest, transpose(Transposing(), "c.o"), kRefused, "");
  ExpectRefused(nest, transpose(Transposing().Unroll("c.i")), kRefused, "unrolled");
  ExpectRefused(Product(32, 48, false),
                transpose(ScheduleBuilder("direct", 1)
                              .Split("n", {0, 16}, {"n.o", "n.i"})
                              .Split("k", {0, 16}, {"k.o", "k.i"})
                              .Reorder({"n.o", "k.o", "n.i", "k.i"}),
                          "n.i"),
                kRefused, "init");
  ExpectRefused(Product(32, 41, true), transpose(Transposing()), kRefused, "some of the iterations");
}

TEST(TensorizeTest, TensorizedLoopsStayAsTheyAre) {
  const LoopNest nest = Product(32, 48, true);
  const auto tensorized = [] { return Transposing().Tensorize("r.i", "transpose.16x16.f32"); };
  ExpectRefused(nest, tensorized().Split("c.i", {0, 4}, {"x", "y"}), kRefused, "tensorized");
  ExpectRefused(nest, tensorized().Vectorize("c.i"), kRefused, "tensorized");
  ExpectRefused(nest, tensorized().Reorder({"r.i", "c.o"}), kRefused, "tensorized");
  ExpectRefused(nest, tensorized().Fuse({"c.o", "r.i"}, "f"), kRefused, "tensorized");
}

TEST(TensorizeTest, LoweringRefusesWhatNoLongerMatches) {
  // The layout changes after the loops were marked.
  const absl::StatusOr<LoopNest> nest =
      Try(Product(32, 48, true),
          Transposing().Tensorize("r.i", "transpose.16x16.f32").TransformLayout("p", {"0", "2", "1"}, "p"));
  ASSERT_TRUE(nest.ok()) << nest.status();
  LlvmCodeGenerator generator;
  const absl::Status status = generator.Generate(*nest, Avx512Target()).status();
  EXPECT_EQ(status.code(), kRefused);
  EXPECT_THAT(std::string(status.message()), HasSubstr("expected 1"));
}

TEST(TensorizeTest, TargetsWithoutTheInstructionsRefuse) {
  const absl::StatusOr<LoopNest> nest =
      Try(Product(32, 48, true), Transposing().Tensorize("r.i", "transpose.16x16.f32"));
  ASSERT_TRUE(nest.ok()) << nest.status();
  v1::Target target = Avx512Target();
  target.set_cpu("haswell");
  target.clear_features();
  for (const char* feature : {"avx", "avx2", "fma"}) target.add_features(feature);
  LlvmCodeGenerator generator;
  const absl::Status status = generator.Generate(*nest, target).status();
  EXPECT_EQ(status.code(), kRefused);
  EXPECT_THAT(std::string(status.message()), HasSubstr("needs avx512f"));
}

TEST(TensorizeTest, ImplementationMovesVectorsOnly) {
  const absl::StatusOr<LoopNest> nest =
      Try(Product(32, 48, true), Transposing().Tensorize("r.i", "transpose.16x16.f32"));
  ASSERT_TRUE(nest.ok()) << nest.status();
  LlvmCodeGenerator generator;
  const absl::StatusOr<Artifact> artifact = generator.Generate(*nest, Avx512Target());
  ASSERT_TRUE(artifact.ok()) << artifact.status();
  int shuffles = 0;
  for (const Instruction& instruction : Disassemble(*artifact, Avx512Target())) {
    if (instruction.kind == InstructionKind::kShuffle && instruction.text.find("zmm") != std::string::npos) ++shuffles;
  }
  EXPECT_GE(shuffles, 64) << "four exchanges of sixteen rows";
}

// Random sizes, tiles and layouts: accepted ones keep their values, interpreted and compiled.
TEST(TensorizeTest, KeepsValuesOrRefuses) {
  std::mt19937_64 random(11);
  const auto pick = [&](const auto& values) { return values[absl::Uniform<size_t>(random, 0, values.size())]; };
  const std::vector<std::vector<std::string>> layouts = {
      {"0", "2", "1"}, {"0", "1/16", "2", "1%16"}, {"0", "1/32", "2", "1%32"},
      {"2", "0", "1"}, {"0", "2/16", "1", "2%16"}, {"0", "1/24", "2", "1%24"}};
  const std::vector<int64_t> sizes = {16, 24, 31, 32, 48, 64}, tiles = {8, 16, 16, 16, 32};
  const bool runs = [] {
    const v1::Target host = HostTarget();
    return std::find(host.features().begin(), host.features().end(), "avx512f") != host.features().end();
  }();
  int accepted = 0, refused = 0;
  for (int i = 0; i < 400; ++i) {
    const LoopNest fresh = Product(pick(sizes), pick(sizes), absl::Uniform(random, 0, 4) != 0);
    const int64_t tile = pick(tiles);
    ScheduleBuilder schedule = Packing(pick(layouts), tile, absl::Uniform(random, 0, 4) == 0 ? pick(tiles) : tile);
    schedule.Tensorize("r.i", tile == 8 ? "transpose.8x8.f32" : "transpose.16x16.f32");
    const absl::StatusOr<LoopNest> nest = Try(fresh, schedule);
    if (!nest.ok()) {
      ASSERT_EQ(nest.status().code(), kRefused) << nest.status();
      ++refused;
      continue;
    }
    ++accepted;
    ASSERT_TRUE(Validate(*nest).ok()) << Print(*nest);
    const Buffers inputs = SmallIntegers(fresh, random);
    const Buffers expected = Interpret(fresh, inputs).value();
    const absl::StatusOr<Buffers> values = Interpret(*nest, inputs);
    ASSERT_TRUE(values.ok()) << values.status() << Print(*nest);
    ASSERT_EQ(*values, expected) << Print(*nest);
    if (!runs || accepted % 3 != 0) continue;
    LlvmCodeGenerator generator(accepted % 2 == 0 ? PassPipeline::kLight : PassPipeline::kO3);
    const absl::StatusOr<Artifact> artifact = generator.Generate(*nest, HostTarget());
    ASSERT_TRUE(artifact.ok()) << artifact.status() << Print(*nest);
    ASSERT_EQ(RunKernel(*nest, *artifact, inputs, 0), expected) << Print(*nest);
  }
  EXPECT_GT(accepted, 30);
  EXPECT_GT(refused, 30);
}

}  // namespace
}  // namespace tunefleet::codegen
