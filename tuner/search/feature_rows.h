// Candidates of several spaces as rows of one matrix:
//
//   row := one column per space (1 for the candidate's, else 0), then its knob features, padded with zeros to the
//   length
//          of the longest
#ifndef TUNEFLEET_TUNER_SEARCH_FEATURE_ROWS_H_
#define TUNEFLEET_TUNER_SEARCH_FEATURE_ROWS_H_

#include <vector>

#include "tuner/model/cost_model.h"
#include "tuner/pipeline/candidate.h"

namespace tunefleet::tuner {

// Immutable and thread-safe. The spaces must outlive it.
class FeatureRows {
 public:
  explicit FeatureRows(std::vector<const codegen::ScheduleSpace*> spaces);
  // A matrix without rows.
  FeatureMatrix Empty() const { return {.columns = columns_}; }
  void Append(const Candidate& candidate, FeatureMatrix* matrix) const;

 private:
  const std::vector<const codegen::ScheduleSpace*> spaces_;
  int columns_ = 0;
};

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_SEARCH_FEATURE_ROWS_H_
