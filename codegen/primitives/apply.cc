// Replaying a schedule: the table of primitives, and a call as text.
#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "codegen/primitives/accumulate_at.h"
#include "codegen/primitives/arguments.h"
#include "codegen/primitives/cache_read.h"
#include "codegen/primitives/cache_write.h"
#include "codegen/primitives/compute_at.h"
#include "codegen/primitives/compute_inline.h"
#include "codegen/primitives/decompose_reduction.h"
#include "codegen/primitives/fold_loads.h"
#include "codegen/primitives/fuse.h"
#include "codegen/primitives/pad.h"
#include "codegen/primitives/parallel.h"
#include "codegen/primitives/partition.h"
#include "codegen/primitives/prefetch.h"
#include "codegen/primitives/reorder.h"
#include "codegen/primitives/reverse_compute_at.h"
#include "codegen/primitives/rfactor.h"
#include "codegen/primitives/schedule.h"
#include "codegen/primitives/set_scope.h"
#include "codegen/primitives/split.h"
#include "codegen/primitives/tensorize.h"
#include "codegen/primitives/transform_layout.h"
#include "codegen/primitives/unroll.h"
#include "codegen/primitives/vectorize.h"

namespace tunefleet::codegen {
namespace {

struct Primitive {
  absl::string_view name;
  std::vector<Arguments::Parameter> parameters;
  absl::StatusOr<LoopNest> (*apply)(const LoopNest& nest, const Arguments& arguments);
};

const std::vector<Primitive>& Primitives() {
  constexpr Arguments::Type kString = Arguments::Type::kString;
  constexpr Arguments::Type kInts = Arguments::Type::kInts;
  constexpr Arguments::Type kStrings = Arguments::Type::kStrings;
  static const auto* const primitives = new std::vector<Primitive>{
      {"split",
       {{"loop", kString}, {"factors", kInts}, {"names", kStrings}},
       [](const LoopNest& nest, const Arguments& a) {
         return Split(nest, a.String("loop"), a.Ints("factors"), a.Strings("names"));
       }},
      {"fuse",
       {{"loops", kStrings}, {"name", kString}},
       [](const LoopNest& nest, const Arguments& a) { return Fuse(nest, a.Strings("loops"), a.String("name")); }},
      {"reorder",
       {{"loops", kStrings}},
       [](const LoopNest& nest, const Arguments& a) { return Reorder(nest, a.Strings("loops")); }},
      {"partition",
       {{"loop", kString}, {"points", kInts}, {"suffixes", kStrings}},
       [](const LoopNest& nest, const Arguments& a) {
         return Partition(nest, a.String("loop"), a.Ints("points"), a.Strings("suffixes"));
       }},
      {"vectorize",
       {{"loop", kString}},
       [](const LoopNest& nest, const Arguments& a) { return Vectorize(nest, a.String("loop")); }},
      {"unroll",
       {{"loop", kString}},
       [](const LoopNest& nest, const Arguments& a) { return Unroll(nest, a.String("loop")); }},
      {"parallel",
       {{"loop", kString}},
       [](const LoopNest& nest, const Arguments& a) { return Parallel(nest, a.String("loop")); }},
      {"cache_read",
       {{"block", kString}, {"buffer", kString}, {"scope", kString}, {"name", kString}},
       [](const LoopNest& nest, const Arguments& a) {
         return CacheRead(nest, a.String("block"), a.String("buffer"), a.String("scope"), a.String("name"));
       }},
      {"cache_write",
       {{"block", kString}, {"buffer", kString}, {"scope", kString}, {"name", kString}},
       [](const LoopNest& nest, const Arguments& a) {
         return CacheWrite(nest, a.String("block"), a.String("buffer"), a.String("scope"), a.String("name"));
       }},
      {"compute_at",
       {{"block", kString}, {"loop", kString}},
       [](const LoopNest& nest, const Arguments& a) { return ComputeAt(nest, a.String("block"), a.String("loop")); }},
      {"reverse_compute_at",
       {{"block", kString}, {"loop", kString}},
       [](const LoopNest& nest, const Arguments& a) {
         return ReverseComputeAt(nest, a.String("block"), a.String("loop"));
       }},
      {"compute_inline",
       {{"block", kString}},
       [](const LoopNest& nest, const Arguments& a) { return ComputeInline(nest, a.String("block")); }},
      {"set_scope",
       {{"buffer", kString}, {"scope", kString}},
       [](const LoopNest& nest, const Arguments& a) { return SetScope(nest, a.String("buffer"), a.String("scope")); }},
      {"prefetch",
       {{"buffer", kString}, {"bytes", kInts}},
       [](const LoopNest& nest, const Arguments& a) { return Prefetch(nest, a.String("buffer"), a.Ints("bytes")); }},
      {"fold_loads",
       {{"buffer", kString}},
       [](const LoopNest& nest, const Arguments& a) { return FoldLoads(nest, a.String("buffer")); }},
      {"decompose_reduction",
       {{"block", kString}, {"loop", kString}, {"name", kString}},
       [](const LoopNest& nest, const Arguments& a) {
         return DecomposeReduction(nest, a.String("block"), a.String("loop"), a.String("name"));
       }},
      {"accumulate_at",
       {{"block", kString}, {"loop", kString}, {"scope", kString}, {"name", kString}},
       [](const LoopNest& nest, const Arguments& a) {
         return AccumulateAt(nest, a.String("block"), a.String("loop"), a.String("scope"), a.String("name"));
       }},
      {"rfactor",
       {{"block", kString}, {"loop", kString}, {"scope", kString}, {"name", kString}},
       [](const LoopNest& nest, const Arguments& a) {
         return RFactor(nest, a.String("block"), a.String("loop"), a.String("scope"), a.String("name"));
       }},
      {"tensorize",
       {{"loop", kString}, {"intrinsic", kString}},
       [](const LoopNest& nest, const Arguments& a) {
         return Tensorize(nest, a.String("loop"), a.String("intrinsic"));
       }},
      {"transform_layout",
       {{"buffer", kString}, {"terms", kStrings}, {"name", kString}},
       [](const LoopNest& nest, const Arguments& a) {
         return TransformLayout(nest, a.String("buffer"), a.Strings("terms"), a.String("name"));
       }},
      {"pad",
       {{"block", kString},
        {"buffer", kString},
        {"before", kInts},
        {"after", kInts},
        {"scope", kString},
        {"name", kString}},
       [](const LoopNest& nest, const Arguments& a) {
         return Pad(nest, a.String("block"), a.String("buffer"), a.Ints("before"), a.Ints("after"), a.String("scope"),
                    a.String("name"));
       }},
  };
  return *primitives;
}

absl::Status Prefixed(absl::string_view prefix, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(prefix, ": ", status.message()));
}

std::string Quoted(const std::string& text) { return absl::StrCat("\"", absl::CEscape(text), "\""); }

std::string Print(const v1::PrimitiveArgument& argument) {
  switch (argument.value_case()) {
    case v1::PrimitiveArgument::kIntValue:
      return absl::StrCat(argument.int_value());
    case v1::PrimitiveArgument::kStringValue:
      return Quoted(argument.string_value());
    case v1::PrimitiveArgument::kInts:
      return absl::StrCat("[", absl::StrJoin(argument.ints().values(), ","), "]");
    case v1::PrimitiveArgument::kStrings:
      return absl::StrCat("[",
                          absl::StrJoin(argument.strings().values(), ",",
                                        [](std::string* out, const std::string& s) { out->append(Quoted(s)); }),
                          "]");
    case v1::PrimitiveArgument::VALUE_NOT_SET:
      break;
  }
  return "?";
}

}  // namespace

absl::StatusOr<LoopNest> Apply(const LoopNest& nest, const v1::PrimitiveCall& call) {
  const std::vector<Primitive>& primitives = Primitives();
  const auto primitive = std::find_if(primitives.begin(), primitives.end(),
                                      [&call](const Primitive& p) { return p.name == call.primitive(); });
  if (primitive == primitives.end()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "unknown primitive '", call.primitive(), "', expected one of ",
        absl::StrJoin(primitives, ", ", [](std::string* out, const Primitive& p) { absl::StrAppend(out, p.name); })));
  }
  const Arguments arguments(call);
  if (absl::Status status = arguments.Check(primitive->parameters); !status.ok()) {
    return Prefixed(call.primitive(), status);
  }
  absl::StatusOr<LoopNest> result = primitive->apply(nest, arguments);
  if (!result.ok()) return Prefixed(call.primitive(), result.status());
  return result;
}

absl::StatusOr<LoopNest> Replay(const LoopNest& fresh, const v1::Schedule& schedule) {
  LoopNest nest = fresh;
  for (int i = 0; i < schedule.calls_size(); ++i) {
    absl::StatusOr<LoopNest> next = Apply(nest, schedule.calls(i));
    if (!next.ok()) return Prefixed(absl::StrCat("call ", i + 1), next.status());
    nest = *std::move(next);
  }
  return nest;
}

std::string Print(const v1::PrimitiveCall& call) {
  return absl::StrCat(call.primitive(), "(",
                      absl::StrJoin(call.arguments(), ", ",
                                    [](std::string* out, const v1::PrimitiveArgument& argument) {
                                      absl::StrAppend(out, argument.name(), "=", Print(argument));
                                    }),
                      ")");
}

}  // namespace tunefleet::codegen
