#include "codegen/spaces/conv2d_blocked.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "codegen/operators/blocked.h"
#include "codegen/operators/implementation.h"
#include "codegen/operators/workload.h"
#include "codegen/primitives/schedule.h"
#include "codegen/spaces/vector_unit.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

// Raised whenever the meaning of knob "copies" changes: with either version the sum grows.
constexpr int kCopiesVersion = 0;

// "x86.conv2d.direct" -> "x86.conv2d.blocked16.direct"
std::string NameOf(const ScheduleSpace& inner, const BlockedImplementation& implementation) {
  const std::string& name = inner.name();
  const size_t at = name.size() - implementation.inner.size();
  return name.substr(0, at) + BlockedName(implementation);
}

// The inner space's knobs, then "copies": 0: serial, 1: parallel.
class BlockedSpace : public ScheduleSpace {
 public:
  BlockedSpace(const Conv2dShape& shape, int64_t block, bool plain_input, std::set<std::string> copied,
               const VectorUnit& unit, BlockedImplementation implementation, std::unique_ptr<ScheduleSpace> inner,
               LoopNest fresh)
      : s_(shape),
        block_(block),
        plain_input_(plain_input),
        copied_(std::move(copied)),
        unit_(unit),
        implementation_(std::move(implementation)),
        inner_(std::move(inner)),
        name_(NameOf(*inner_, implementation_)),
        knobs_(inner_->knobs()),
        fresh_(std::move(fresh)) {
    knobs_.push_back("copies");
  }

  const std::string& name() const override { return name_; }
  int version() const override { return inner_->version() + kCopiesVersion; }
  const std::vector<std::string>& knobs() const override { return knobs_; }
  const LoopNest& Fresh() const override { return fresh_; }

  std::vector<int64_t> Domain(absl::Span<const int64_t> prefix) const override {
    if (prefix.size() < inner_->knobs().size()) return inner_->Domain(prefix);
    return unit_.threads == 1 ? std::vector<int64_t>{0} : std::vector<int64_t>{0, 1};
  }

  absl::StatusOr<v1::Schedule> ToSchedule(const Values& values) const override {
    if (values.size() != knobs_.size()) {
      return absl::InvalidArgumentError(absl::StrCat(name_, " has ", knobs_.size(), " knobs, got ", values.size()));
    }
    if (const std::vector<int64_t> copies = Domain(Inner(values));
        std::ranges::find(copies, values.back()) == copies.end()) {
      return absl::InvalidArgumentError(absl::StrCat(name_, ": copies=", values.back(), " is no value of the knob"));
    }
    TF_ASSIGN_OR_RETURN(const v1::Schedule inner, inner_->ToSchedule(Inner(values)));
    ScheduleBuilder b(BlockedName(implementation_), inner.implementation_version());
    if (copied_.contains("data")) Pack(values.back() == 1, b);
    Unpack(values.back() == 1, b);
    v1::Schedule schedule = b.schedule();
    for (const v1::PrimitiveCall& call : inner.calls()) *schedule.add_calls() = Renamed(call);
    return schedule;
  }

  std::vector<float> KnobFeatures(const Values& values) const override {
    std::vector<float> features = inner_->KnobFeatures(Inner(values));
    features.push_back(static_cast<float>(values.back()));
    return features;
  }

  double DraftCycles(const Values& values) const override { return inner_->DraftCycles(Inner(values)); }

 private:
  static Values Inner(const Values& values) { return {values.begin(), values.end() - 1}; }

  // The inner space's buffers of tensors that are copied have other names here.
  v1::PrimitiveCall Renamed(v1::PrimitiveCall call) const {
    for (v1::PrimitiveArgument& argument : *call.mutable_arguments()) {
      if (argument.name() != "buffer" || !copied_.contains(argument.string_value())) continue;
      argument.set_string_value(BlockedBuffer(argument.string_value()));
    }
    return call;
  }

  void Pack(bool parallel, ScheduleBuilder& b) const {
    if (plain_input_) {
      VectorizeRow("pack_w", s_.w, b);
    } else {
      b.Vectorize("pack_l");
    }
    if (!parallel) return;
    b.Fuse({"pack_n", "pack_c"}, "pack_task");
    b.Parallel("pack_task");
  }

  // A loop over the pixels of a row as vectors of even size, "<loop>.o" and "<loop>.v".
  void VectorizeRow(const std::string& loop, int64_t pixels, ScheduleBuilder& b) const {
    const int64_t parts = (pixels + unit_.lanes - 1) / unit_.lanes;
    b.Split(loop, {0, (pixels + parts - 1) / parts}, {loop + ".o", loop + ".v"});
    b.Vectorize(loop + ".v");
  }

  void Unpack(bool parallel, ScheduleBuilder& b) const {
    if (s_.channels_last) {
      b.Split("unpack_l", {0, unit_.lanes}, {"unpack_l.o", "unpack_l.v"});
      b.Vectorize("unpack_l.v");
      if (!parallel) return;
      b.Fuse({"unpack_n", "unpack_c", "unpack_h"}, "unpack_task");
    } else {
      // Rows of a block's channels lie side by side: all are read while they are near.
      VectorizeRow("unpack_w", s_.OutputWidth(), b);
      b.Split("unpack_c", {0, block_}, {"unpack_c.o", "unpack_c.i"});
      b.Reorder({"unpack_n", "unpack_c.o", "unpack_h", "unpack_w.o", "unpack_c.i", "unpack_w.v"});
      if (!parallel) return;
      b.Fuse({"unpack_n", "unpack_c.o"}, "unpack_task");
    }
    b.Parallel("unpack_task");
  }

  const Conv2dShape s_;  // of the workload, not the inner one
  const int64_t block_;
  const bool plain_input_;              // inside, too
  const std::set<std::string> copied_;  // names of tensors
  const VectorUnit unit_;
  const BlockedImplementation implementation_;
  const std::unique_ptr<ScheduleSpace> inner_;
  const std::string name_;
  std::vector<std::string> knobs_;
  const LoopNest fresh_;
};

}  // namespace

absl::StatusOr<std::vector<std::unique_ptr<ScheduleSpace>>> MakeConv2dBlockedSpaces(const v1::Workload& workload,
                                                                                    const v1::Target& target,
                                                                                    MakeInnerSpaces make) {
  TF_ASSIGN_OR_RETURN(const Conv2dShape shape, Conv2dShapeOf(workload));
  std::vector<std::unique_ptr<ScheduleSpace>> spaces;
  if (shape.channel_block != 0 && !shape.channels_last) return spaces;
  const VectorUnit unit = VectorUnitOf(target);
  const int64_t block = unit.lanes * ProductsPerLane(unit, shape.dtype);
  TF_ASSIGN_OR_RETURN(const v1::Workload blocked, BlockedWorkload(workload, block));
  TF_ASSIGN_OR_RETURN(const Conv2dShape inner_shape, Conv2dShapeOf(blocked));
  const bool plain_input = inner_shape.input_block == 0;
  std::set<std::string> copied;
  for (int i = 0; i < workload.tensors_size(); ++i) {
    if (IsCopied(workload.tensors(i), blocked.tensors(i))) copied.insert(workload.tensors(i).name());
  }
  TF_ASSIGN_OR_RETURN(std::vector<std::unique_ptr<ScheduleSpace>> inner_spaces, make(blocked, target));
  for (std::unique_ptr<ScheduleSpace>& inner : inner_spaces) {
    TF_ASSIGN_OR_RETURN(const v1::Schedule first, inner->ToSchedule(FirstValues(*inner)));
    BlockedImplementation implementation{block, first.implementation()};
    TF_ASSIGN_OR_RETURN(LoopNest fresh, FreshNest(workload, BlockedName(implementation), 1));
    spaces.push_back(std::make_unique<BlockedSpace>(shape, block, plain_input, copied, unit, std::move(implementation),
                                                    std::move(inner), std::move(fresh)));
  }
  return spaces;
}

}  // namespace tunefleet::codegen
