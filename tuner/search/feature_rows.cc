#include "tuner/search/feature_rows.h"

#include <algorithm>
#include <utility>

#include "common/check.h"
#include "tuner/search/candidate_set.h"

namespace tunefleet::tuner {

FeatureRows::FeatureRows(std::vector<const codegen::ScheduleSpace*> spaces) : spaces_(std::move(spaces)) {
  size_t longest = 0;
  for (const codegen::ScheduleSpace* space : spaces_) {
    longest = std::max(longest, space->KnobFeatures(codegen::FirstValues(*space)).size());
  }
  columns_ = static_cast<int>(spaces_.size() + longest);
}

void FeatureRows::Append(const Candidate& candidate, FeatureMatrix* matrix) const {
  const std::vector<float> knobs = spaces_[candidate.space]->KnobFeatures(candidate.values);
  TF_CHECK(spaces_.size() + knobs.size() <= static_cast<size_t>(columns_), "a space's features changed their number");
  const size_t begin = matrix->values.size();
  matrix->values.resize(begin + columns_, 0.0f);
  matrix->values[begin + candidate.space] = 1;
  std::copy(knobs.begin(), knobs.end(), matrix->values.begin() + static_cast<std::ptrdiff_t>(begin + spaces_.size()));
}

}  // namespace tunefleet::tuner
