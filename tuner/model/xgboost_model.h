// Gradient-boosted trees, through XGBoost's C API. Every Update trains anew on all that is known, on one thread, with a
// fixed seed: equal data give an equal model.
#ifndef TUNEFLEET_TUNER_MODEL_XGBOOST_MODEL_H_
#define TUNEFLEET_TUNER_MODEL_XGBOOST_MODEL_H_

#include <cstdint>
#include <memory>

#include "tuner/model/cost_model.h"

namespace tunefleet::tuner {

struct XgboostOptions {
  enum class Objective { kPairwiseRank, kRegression };  // Eq. 2 of the AutoTVM paper, or squared error
  Objective objective = Objective::kPairwiseRank;
  int rounds = 50;
  int max_depth = 3;
  double eta = 0.3;
  double gamma = 1e-4;
  double min_child_weight = 1;
  uint64_t seed = 0;
};

std::unique_ptr<CostModel> MakeXgboostModel(const XgboostOptions& options);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_MODEL_XGBOOST_MODEL_H_
