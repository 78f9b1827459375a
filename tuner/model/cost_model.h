// CostModel: the seam between the search and a learned model. Implementations: xgboost.
#ifndef TUNEFLEET_TUNER_MODEL_COST_MODEL_H_
#define TUNEFLEET_TUNER_MODEL_COST_MODEL_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace tunefleet::tuner {

// Rows of equal length, row-major.
struct FeatureMatrix {
  int columns = 0;
  std::vector<float> values;
  int rows() const { return columns == 0 ? 0 : static_cast<int>(values.size()) / columns; }
};

// Thread-compatible. Scores have no unit: higher is predicted faster.
class CostModel {
 public:
  virtual ~CostModel() = default;
  // Learns from everything measured so far. `throughput` is relative to the best, in [0, 1]; failed candidates are 0.
  virtual absl::Status Update(const FeatureMatrix& features, absl::Span<const float> throughput) = 0;
  // One score per row. Errors: FAILED_PRECONDITION before the first Update.
  virtual absl::StatusOr<std::vector<float>> Predict(const FeatureMatrix& features) const = 0;
};

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_MODEL_COST_MODEL_H_
