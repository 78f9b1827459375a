// Which spaces a workload has.
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "codegen/spaces/conv2d_direct.h"
#include "codegen/spaces/depthwise_direct.h"
#include "codegen/spaces/matmul_packed.h"
#include "codegen/spaces/schedule_space.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {

absl::StatusOr<std::vector<std::unique_ptr<ScheduleSpace>>> SpacesFor(const v1::Workload& workload,
                                                                      const v1::Target& target) {
  using Factory = absl::StatusOr<std::unique_ptr<ScheduleSpace>> (*)(const v1::Workload&, const v1::Target&);
  constexpr struct {
    absl::string_view anchor;
    Factory make;
  } kFactories[] = {{"conv2d", MakeConv2dDirectSpace},
                    {"depthwise_conv2d", MakeDepthwiseDirectSpace},
                    {"matmul", MakeMatmulPackedSpace},
                    {"dense", MakeMatmulPackedSpace}};
  std::vector<std::unique_ptr<ScheduleSpace>> spaces;
  for (const auto& factory : kFactories) {
    if (workload.nodes_size() == 0 || workload.nodes(0).kind() != factory.anchor) continue;
    TF_ASSIGN_OR_RETURN(std::unique_ptr<ScheduleSpace> space, factory.make(workload, target));
    spaces.push_back(std::move(space));
  }
  if (!spaces.empty()) return spaces;
  return absl::InvalidArgumentError(absl::StrCat("no schedule space for the operator '",
                                                 workload.nodes_size() == 0 ? "" : workload.nodes(0).kind(), "'"));
}

}  // namespace tunefleet::codegen
