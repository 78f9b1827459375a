// Schedules as data: what a builder writes, Apply reads.
#include "codegen/primitives/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codegen/ir/printer.h"
#include "tests/codegen/primitives/nests.h"

namespace tunefleet::codegen {
namespace {

using testing::HasSubstr;

std::string Message(const absl::StatusOr<LoopNest>& result) { return std::string(result.status().message()); }

ScheduleBuilder Sample() {
  ScheduleBuilder s("direct", 3);
  s.Pad("mm", "a", {0, 0}, {1, 2}, "workspace", "ap")
      .CacheWrite("mm", "t", "local", "acc")
      .Split("m", {0, 2}, {"m.o", "m.i"})
      .Reorder({"m.o", "k", "n", "m.i"})
      .Fuse({"n", "m.i"}, "f")
      .ComputeAt("ap", "m.o")
      .SetScope("u", "local")
      .Partition("bn", {1}, {"", "x"})
      .TransformLayout("b", {"1/4", "0", "1%4"}, "bp")
      .Unroll("rn")
      .Parallel("rm");
  return s;
}

TEST(ScheduleBuilderTest, WritesWhatReplayReads) { ExpectSameValues(MatmulNest(5, 6, 3), Sample()); }

TEST(ScheduleBuilderTest, SurvivesSerialization) {
  const ScheduleBuilder builder = Sample();
  v1::Schedule schedule;
  ASSERT_TRUE(schedule.ParseFromString(builder.schedule().SerializeAsString()));
  EXPECT_EQ(schedule.implementation(), "direct");
  EXPECT_EQ(schedule.implementation_version(), 3);
  const LoopNest nest = MatmulNest(5, 6, 3);
  const absl::StatusOr<LoopNest> a = Replay(nest, builder.schedule());
  const absl::StatusOr<LoopNest> b = Replay(nest, schedule);
  ASSERT_TRUE(a.ok() && b.ok()) << a.status() << b.status();
  EXPECT_EQ(Print(*a), Print(*b));
}

TEST(ScheduleBuilderTest, LeavesTheFreshNestAlone) {
  const LoopNest nest = MatmulNest(5, 6, 3);
  const std::string before = Print(nest);
  ASSERT_TRUE(Replay(nest, Sample().schedule()).ok());
  EXPECT_EQ(Print(nest), before);
}

TEST(ApplyTest, RefusesUnknownPrimitives) {
  v1::PrimitiveCall call;
  call.set_primitive("frobnicate");
  const absl::StatusOr<LoopNest> result = Apply(MatmulNest(2, 2, 2), call);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(result), HasSubstr("'frobnicate'"));
  EXPECT_THAT(Message(result), HasSubstr("reverse_compute_at"));
}

TEST(ApplyTest, RefusesBadArguments) {
  const LoopNest nest = MatmulNest(2, 2, 2);
  const v1::PrimitiveCall good = ScheduleBuilder("direct", 1).Split("m", {2, 1}, {"p", "q"}).schedule().calls(0);
  ASSERT_TRUE(Apply(nest, good).ok());

  v1::PrimitiveCall missing = good;
  missing.mutable_arguments()->RemoveLast();
  EXPECT_EQ(Message(Apply(nest, missing)), "split: argument 'names' is missing, expected a list of strings");

  v1::PrimitiveCall mistyped = good;
  mistyped.mutable_arguments(0)->set_int_value(7);
  EXPECT_EQ(Message(Apply(nest, mistyped)), "split: argument 'loop' is a number, expected a string");

  v1::PrimitiveCall unset = good;
  unset.mutable_arguments(1)->clear_value();
  EXPECT_EQ(Message(Apply(nest, unset)), "split: argument 'factors' is nothing, expected a list of numbers");

  v1::PrimitiveCall unknown = good;
  unknown.add_arguments()->set_name("colour");
  EXPECT_EQ(Message(Apply(nest, unknown)), "split: unknown argument 'colour', expected loop, factors, names");

  v1::PrimitiveCall twice = good;
  *twice.add_arguments() = good.arguments(0);
  EXPECT_EQ(Message(Apply(nest, twice)), "split: argument 'loop' is given twice");
}

TEST(ReplayTest, NamesTheCallThatFails) {
  ScheduleBuilder s("direct", 1);
  s.Unroll("m").Unroll("nowhere").Unroll("n");
  const absl::StatusOr<LoopNest> result = Replay(MatmulNest(2, 2, 2), s.schedule());
  EXPECT_EQ(result.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Message(result), testing::StartsWith("call 2: unroll: no loop 'nowhere'"));
}

TEST(PrintTest, WritesACallInOneLine) {
  ScheduleBuilder s("direct", 1);
  s.Split("oh", {2, 14}, {"oh.o", "oh.i"}).ComputeInline("a\"b\n");
  EXPECT_EQ(Print(s.schedule().calls(0)), R"(split(loop="oh", factors=[2,14], names=["oh.o","oh.i"]))");
  EXPECT_EQ(Print(s.schedule().calls(1)), R"(compute_inline(block="a\"b\n"))");
}

}  // namespace
}  // namespace tunefleet::codegen
