#include "codegen/spaces/knob_space.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace tunefleet::codegen {

KnobSpace::KnobSpace(std::string name, int version, LoopNest fresh)
    : name_(std::move(name)), version_(version), fresh_(std::move(fresh)) {}

absl::StatusOr<v1::Schedule> KnobSpace::ToSchedule(const Values& values) const {
  if (!Contains(*this, values)) {
    return absl::InvalidArgumentError(
        absl::StrCat("space ", name_, " does not hold the values [", absl::StrJoin(values, ", "), "]"));
  }
  return Build(KnobValues(values));
}

std::vector<float> KnobSpace::KnobFeatures(const Values& values) const {
  std::vector<float> features;
  for (const int64_t value : values) features.push_back(std::log2(1.0F + static_cast<float>(value)));
  for (const double value : Derived(KnobValues(values))) features.push_back(static_cast<float>(value));
  return features;
}

double KnobSpace::DraftCycles(const Values& values) const {
  const std::optional<DraftCost> draft = Draft(KnobValues(values));
  return draft.has_value() ? Cycles(*draft) : -1;
}

}  // namespace tunefleet::codegen
