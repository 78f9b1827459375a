#include "codegen/spaces/reference_schedule.h"

#include <string>
#include <vector>

#include "codegen/operators/workload.h"
#include "codegen/primitives/schedule.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

constexpr int64_t kLanes = 8;

// The anchor's loops (operators/implementation.h).
struct Loops {
  std::vector<std::string> spatial;  // outermost first
  std::vector<std::string> sums;
  std::string parallel;
};

absl::StatusOr<Loops> LoopsOf(const v1::Workload& workload) {
  const std::string& kind = workload.nodes(0).kind();
  if (kind == "matmul") return Loops{{"b", "m", "n"}, {"k"}, "m"};
  if (kind == "dense") return Loops{{"m", "n"}, {"k"}, "m"};
  TF_ASSIGN_OR_RETURN(const Conv2dShape shape, Conv2dShapeOf(workload));
  Loops loops{{"n", "co", "oh", "ow"}, {"kh", "kw"}, "co"};
  if (shape.channel_block != 0) loops.spatial.push_back("c");
  if (!shape.depthwise) loops.sums.insert(loops.sums.begin(), "ci");
  if (!shape.depthwise && shape.input_block != 0) loops.sums.push_back("l");
  return loops;
}

}  // namespace

absl::StatusOr<v1::Schedule> ReferenceSchedule(const v1::Workload& workload) {
  if (workload.nodes_size() == 0) return absl::InvalidArgumentError("the workload has no operator");
  TF_ASSIGN_OR_RETURN(const Loops loops, LoopsOf(workload));
  const std::string inner = loops.spatial.back();
  ScheduleBuilder schedule("direct.f64", 1);
  schedule.Split(inner, {0, kLanes}, {inner + ".o", inner + ".i"});
  std::vector<std::string> order(loops.spatial.begin(), loops.spatial.end() - 1);
  order.push_back(inner + ".o");
  order.insert(order.end(), loops.sums.begin(), loops.sums.end());
  order.push_back(inner + ".i");
  schedule.Reorder(order).Vectorize(inner + ".i").Parallel(loops.parallel);
  return schedule.schedule();
}

}  // namespace tunefleet::codegen
