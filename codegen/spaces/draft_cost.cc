#include "codegen/spaces/draft_cost.h"

#include <algorithm>
#include <cmath>

namespace tunefleet::codegen {
namespace {

// Of a core of the last ten years: two multiply-adds and two loads in a cycle, a multiply-add takes four.
constexpr double kPerCycle = 2;
constexpr double kLatency = 4;
constexpr double kTurnCycles = 2;
constexpr double kL2BytesPerCycle = 32;
constexpr double kL3BytesPerCycle = 8;
constexpr double kNotHidden = 0.25;  // of the lesser of arithmetic and traffic

}  // namespace

double Cycles(const DraftCost& cost) {
  const double step = std::max({cost.accumulators / kPerCycle, cost.loads / kPerCycle, kLatency});
  const double arithmetic = cost.steps * step + cost.turns * kTurnCycles;
  const double traffic = cost.l2_bytes / kL2BytesPerCycle + cost.l3_bytes / kL3BytesPerCycle;
  const double one_thread = std::max(arithmetic, traffic) + kNotHidden * std::min(arithmetic, traffic);
  return one_thread * std::ceil(cost.tasks / static_cast<double>(cost.threads)) / cost.tasks;
}

}  // namespace tunefleet::codegen
