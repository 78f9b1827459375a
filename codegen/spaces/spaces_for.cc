// Which spaces a workload has.
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "codegen/spaces/conv2d_direct.h"
#include "codegen/spaces/conv2d_winograd.h"
#include "codegen/spaces/depthwise_direct.h"
#include "codegen/spaces/matmul_packed.h"
#include "codegen/spaces/schedule_space.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {

namespace {

using Spaces = std::vector<std::unique_ptr<ScheduleSpace>>;

template <absl::StatusOr<std::unique_ptr<ScheduleSpace>> (*Make)(const v1::Workload&, const v1::Target&)>
absl::StatusOr<Spaces> One(const v1::Workload& workload, const v1::Target& target) {
  TF_ASSIGN_OR_RETURN(std::unique_ptr<ScheduleSpace> space, Make(workload, target));
  Spaces spaces;
  spaces.push_back(std::move(space));
  return spaces;
}

}  // namespace

absl::StatusOr<Spaces> SpacesFor(const v1::Workload& workload, const v1::Target& target) {
  constexpr struct {
    absl::string_view anchor;
    absl::StatusOr<Spaces> (*make)(const v1::Workload&, const v1::Target&);
  } kFactories[] = {{"conv2d", One<MakeConv2dDirectSpace>},
                    {"conv2d", MakeConv2dWinogradSpaces},
                    {"depthwise_conv2d", One<MakeDepthwiseDirectSpace>},
                    {"matmul", One<MakeMatmulPackedSpace>},
                    {"dense", One<MakeMatmulPackedSpace>}};
  Spaces spaces;
  for (const auto& factory : kFactories) {
    if (workload.nodes_size() == 0 || workload.nodes(0).kind() != factory.anchor) continue;
    TF_ASSIGN_OR_RETURN(Spaces made, factory.make(workload, target));
    for (std::unique_ptr<ScheduleSpace>& space : made) spaces.push_back(std::move(space));
  }
  if (!spaces.empty()) return spaces;
  return absl::InvalidArgumentError(absl::StrCat("no schedule space for the operator '",
                                                 workload.nodes_size() == 0 ? "" : workload.nodes(0).kind(), "'"));
}

}  // namespace tunefleet::codegen
