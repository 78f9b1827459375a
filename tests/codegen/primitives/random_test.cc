// Every primitive, alone and in sequences, on random loop nests with random arguments: the same values as before, or a
// refusal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "absl/strings/str_cat.h"
#include "codegen/ir/printer.h"
#include "codegen/ir/validator.h"
#include "codegen/primitives/schedule.h"
#include "tests/codegen/interpreter/interpreter.h"
#include "tests/codegen/interpreter/random_nest.h"
#include "tests/codegen/primitives/random_calls.h"

namespace tunefleet::codegen {
namespace {

LoopNest RandomScratchNest(std::mt19937_64& random) {
  LoopNest nest = RandomNest(random);
  for (Buffer& buffer : nest.buffers) {
    if (buffer.role == Role::kTemporary) buffer.scope = Scope::kWorkspace;
  }
  return nest;
}

bool IsRefusal(const absl::Status& status) {
  return status.code() == absl::StatusCode::kFailedPrecondition ||
         status.code() == absl::StatusCode::kInvalidArgument || status.code() == absl::StatusCode::kAlreadyExists ||
         status.code() == absl::StatusCode::kNotFound;
}

// Values of a nest's outputs, the same in any order of its concurrent loops.
absl::StatusOr<Buffers> Run(const LoopNest& nest, const Buffers& inputs) {
  absl::StatusOr<Buffers> forward = Interpret(nest, inputs);
  for (const IterationOrder order : {IterationOrder::kReverse, IterationOrder::kShuffled}) {
    absl::StatusOr<Buffers> other = Interpret(nest, inputs, {.concurrent_order = order});
    if (!other.ok()) return other;
    if (!forward.ok() || *forward != *other) return absl::InternalError("values depend on the order of iterations");
  }
  return forward;
}

struct Tally {
  int accepted = 0;
  int tried = 0;
};

// One random nest with `length` random calls of the primitives; checks every accepted one.
void Try(uint64_t seed, int length, const std::vector<std::string>& primitives, std::map<std::string, Tally>& tallies) {
  std::mt19937_64 random(seed);
  LoopNest nest = RandomScratchNest(random);
  const Buffers inputs = RandomInputs(nest, random);
  const absl::StatusOr<Buffers> expected = Interpret(nest, inputs);
  ASSERT_TRUE(expected.ok()) << expected.status() << "\n" << Print(nest);
  std::string history = absl::StrCat("seed ", seed, "\n", Print(nest));
  for (int i = 0; i < length; ++i) {
    const std::string& primitive = primitives[random() % primitives.size()];
    const v1::PrimitiveCall call = RandomCall(nest, primitive, i, random);
    const absl::StatusOr<LoopNest> result = Apply(nest, call);
    Tally& tally = tallies[primitive];
    ++tally.tried;
    if (!result.ok()) {
      ASSERT_TRUE(IsRefusal(result.status())) << result.status();
      ASSERT_GT(result.status().message().size(), primitive.size() + 2);
      continue;
    }
    ++tally.accepted;
    history += absl::StrCat(Print(call), "\n");
    const absl::Status valid = Validate(*result);
    ASSERT_TRUE(valid.ok()) << valid << "\n" << history << Print(*result);
    const absl::StatusOr<Buffers> values = Run(*result, inputs);
    ASSERT_TRUE(values.ok()) << values.status() << "\n" << history << Print(*result);
    ASSERT_EQ(*values, *expected) << history << Print(*result);
    nest = *result;
  }
}

// The least share of calls, in percent, that a primitive must accept for its test to mean something. Some need what a
// random nest often lacks: a producer and a consumer, a loop that nothing is reduced over.
int LeastAccepted(const std::string& primitive) {
  static const auto* const least =
      new std::map<std::string, int>{{"compute_at", 15}, {"reverse_compute_at", 8}, {"compute_inline", 10},
                                     {"vectorize", 20},  {"parallel", 20},          {"pad", 20}};
  const auto found = least->find(primitive);
  return found == least->end() ? 30 : found->second;
}

class EveryPrimitiveTest : public testing::TestWithParam<std::string> {};

TEST_P(EveryPrimitiveTest, KeepsValuesOrRefuses) {
  std::map<std::string, Tally> tallies;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    Try(seed, 2, {GetParam()}, tallies);
    if (HasFatalFailure()) return;
  }
  const Tally& tally = tallies[GetParam()];
  RecordProperty("accepted", tally.accepted);
  RecordProperty("tried", tally.tried);
  EXPECT_GT(tally.accepted * 100, tally.tried * LeastAccepted(GetParam()))
      << tally.accepted << " of " << tally.tried << " accepted";
}

INSTANTIATE_TEST_SUITE_P(Primitives, EveryPrimitiveTest, testing::ValuesIn(PrimitiveNames()),
                         [](const auto& info) { return info.param; });

TEST(PrimitiveSequenceTest, KeepsValuesOrRefuses) {
  std::map<std::string, Tally> tallies;
  for (uint64_t seed = 1000; seed < 2000; ++seed) {
    Try(seed, 12, PrimitiveNames(), tallies);
    if (HasFatalFailure()) return;
  }
  Tally all;
  for (const auto& [primitive, tally] : tallies) {
    EXPECT_GT(tally.accepted * 100, tally.tried * 5) << primitive;
    all.accepted += tally.accepted;
    all.tried += tally.tried;
  }
  EXPECT_GT(all.accepted * 100, all.tried * 30) << all.accepted << " of " << all.tried << " accepted";
}

// Tiled, moved and decomposed: the shapes that schedules take.
TEST(PrimitiveSequenceTest, MovesAfterSplitsKeepValues) {
  std::map<std::string, Tally> tallies;
  for (uint64_t seed = 5000; seed < 5800; ++seed) {
    Try(seed, 14,
        {"split", "split", "reorder", "compute_at", "reverse_compute_at", "decompose_reduction", "cache_write",
         "cache_read", "pad"},
        tallies);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(tallies["compute_at"].accepted, 300);
  EXPECT_GT(tallies["reverse_compute_at"].accepted, 300);
}

}  // namespace
}  // namespace tunefleet::codegen
