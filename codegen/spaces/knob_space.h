// KnobSpace: a ScheduleSpace made of a KnobList, a fresh nest and a function from values to a schedule. The
// hand-written spaces derive from it and say only what is theirs.
#ifndef TUNEFLEET_CODEGEN_SPACES_KNOB_SPACE_H_
#define TUNEFLEET_CODEGEN_SPACES_KNOB_SPACE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "codegen/spaces/draft_cost.h"
#include "codegen/spaces/knob_list.h"
#include "codegen/spaces/schedule_space.h"

namespace tunefleet::codegen {

class KnobSpace : public ScheduleSpace {
 public:
  const std::string& name() const override { return name_; }
  int version() const override { return version_; }
  const std::vector<std::string>& knobs() const override { return knobs_.names(); }
  const LoopNest& Fresh() const override { return fresh_; }

  std::vector<int64_t> Domain(absl::Span<const int64_t> prefix) const override { return knobs_.DomainAfter(prefix); }
  absl::StatusOr<v1::Schedule> ToSchedule(const Values& values) const override;
  // log2(1 + value) of every knob, then the derived numbers.
  std::vector<float> KnobFeatures(const Values& values) const override;
  double DraftCycles(const Values& values) const override;

 protected:
  KnobSpace(std::string name, int version, LoopNest fresh);

  KnobList& knob_list() { return knobs_; }
  // The schedule of values that are all in their domains.
  virtual v1::Schedule Build(KnobValues values) const = 0;
  // What the values mean for the machine, each of about unit scale; the same number for all values.
  virtual std::vector<double> Derived(KnobValues values) const = 0;
  virtual std::optional<DraftCost> Draft(KnobValues) const { return std::nullopt; }

 private:
  const std::string name_;
  const int version_;
  const LoopNest fresh_;
  KnobList knobs_;
};

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_SPACES_KNOB_SPACE_H_
