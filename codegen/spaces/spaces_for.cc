// Which spaces a workload has.
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "codegen/operators/pointwise.h"
#include "codegen/operators/workload.h"
#include "codegen/spaces/conv2d_blocked.h"
#include "codegen/spaces/conv2d_direct.h"
#include "codegen/spaces/conv2d_winograd.h"
#include "codegen/spaces/depthwise_direct.h"
#include "codegen/spaces/matmul_dot.h"
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

void Append(Spaces more, Spaces* spaces) {
  for (std::unique_ptr<ScheduleSpace>& space : more) spaces->push_back(std::move(space));
}

absl::StatusOr<Spaces> OwnLayoutConv2d(const v1::Workload& workload, const v1::Target& target) {
  TF_ASSIGN_OR_RETURN(Spaces spaces, One<MakeConv2dDirectSpace>(workload, target));
  TF_ASSIGN_OR_RETURN(Spaces winograd, MakeConv2dWinogradSpaces(workload, target));
  Append(std::move(winograd), &spaces);
  return spaces;
}

// Spaces on the tensors as they are, but for NHWC, and on copies in blocks.
template <absl::StatusOr<Spaces> (*Make)(const v1::Workload&, const v1::Target&)>
absl::StatusOr<Spaces> Convolution(const v1::Workload& workload, const v1::Target& target) {
  TF_ASSIGN_OR_RETURN(const Conv2dShape shape, Conv2dShapeOf(workload));
  Spaces spaces;
  if (!shape.channels_last) {
    TF_ASSIGN_OR_RETURN(spaces, Make(workload, target));
  }
  TF_ASSIGN_OR_RETURN(Spaces blocked, MakeConv2dBlockedSpaces(workload, target, Make));
  Append(std::move(blocked), &spaces);
  return spaces;
}

absl::StatusOr<Spaces> Conv2d(const v1::Workload& workload, const v1::Target& target) {
  TF_ASSIGN_OR_RETURN(Spaces spaces, Convolution<OwnLayoutConv2d>(workload, target));
  TF_ASSIGN_OR_RETURN(const Conv2dShape shape, Conv2dShapeOf(workload));
  if (const std::optional<MatmulShape> matmul = PointwiseMatmul(shape)) {
    TF_ASSIGN_OR_RETURN(std::unique_ptr<ScheduleSpace> space, MakePointwiseMatmulSpace(workload, *matmul, target));
    spaces.push_back(std::move(space));
  }
  return spaces;
}

absl::StatusOr<Spaces> Matmul(const v1::Workload& workload, const v1::Target& target) {
  TF_ASSIGN_OR_RETURN(Spaces spaces, One<MakeMatmulPackedSpace>(workload, target));
  TF_ASSIGN_OR_RETURN(const MatmulShape shape, MatmulShapeOf(workload));
  if (MatmulDotApplies(shape, target)) {
    TF_ASSIGN_OR_RETURN(std::unique_ptr<ScheduleSpace> dot, MakeMatmulDotSpace(workload, target));
    spaces.push_back(std::move(dot));
  }
  return spaces;
}

}  // namespace

absl::StatusOr<Spaces> SpacesFor(const v1::Workload& workload, const v1::Target& target) {
  constexpr struct {
    absl::string_view anchor;
    absl::StatusOr<Spaces> (*make)(const v1::Workload&, const v1::Target&);
  } kFactories[] = {{"conv2d", Conv2d},
                    {"depthwise_conv2d", Convolution<One<MakeDepthwiseDirectSpace>>},
                    {"matmul", Matmul},
                    {"dense", One<MakeMatmulPackedSpace>}};
  for (const auto& factory : kFactories) {
    if (workload.nodes_size() > 0 && workload.nodes(0).kind() == factory.anchor) return factory.make(workload, target);
  }
  return absl::InvalidArgumentError(absl::StrCat("no schedule space for the operator '",
                                                 workload.nodes_size() == 0 ? "" : workload.nodes(0).kind(), "'"));
}

}  // namespace tunefleet::codegen
