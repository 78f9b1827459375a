// Workloads that have a name: the convolutions of ResNet-18 (table 1 of the AutoTVM paper) and square matmuls.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "codegen/operators/closest_name.h"
#include "codegen/operators/workload.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

struct NamedOperator {
  std::string network;
  std::string name;
  std::string op;
};

std::vector<NamedOperator> NamedOperators() {
  struct Row {
    int size, ci, co, kernel, stride;
  };
  constexpr Row kResnet18[] = {{224, 3, 64, 7, 2},   {56, 64, 64, 3, 1},   {56, 64, 64, 1, 1},   {56, 64, 128, 3, 2},
                               {56, 64, 128, 1, 2},  {28, 128, 128, 3, 1}, {28, 128, 256, 3, 2}, {28, 128, 256, 1, 2},
                               {14, 256, 256, 3, 1}, {14, 256, 512, 3, 2}, {14, 256, 512, 1, 2}, {7, 512, 512, 3, 1}};
  std::vector<NamedOperator> operators;
  for (const Row& row : kResnet18) {
    const std::string name = absl::StrCat("resnet18.C", operators.size() + 1);
    operators.push_back({"resnet18", name,
                         absl::StrFormat("conv2d(n=1,h=%d,w=%d,ci=%d,co=%d,k=%d,s=%d,p=%d,layout=NCHW16c%s)", row.size,
                                         row.size, row.ci, row.co, row.kernel, row.stride, row.kernel / 2,
                                         row.ci == 3 ? ",in_layout=NCHW" : "")});
  }
  for (const int size : {256, 512, 1024, 2048}) {
    operators.push_back(
        {"", absl::StrCat("matmul.", size), absl::StrFormat("matmul(m=%d,n=%d,k=%d)", size, size, size)});
  }
  return operators;
}

}  // namespace

absl::StatusOr<std::vector<NamedWorkload>> FindWorkloads(absl::string_view name) {
  std::vector<NamedWorkload> found;
  std::vector<std::string> known = {"resnet18"};
  for (const NamedOperator& named : NamedOperators()) {
    known.push_back(named.name);
    if (name != named.name && (name != named.network || name.empty())) continue;
    TF_ASSIGN_OR_RETURN(v1::Workload workload, ParseOperator(named.op));
    found.push_back({named.name, std::move(workload)});
  }
  if (!found.empty()) return found;
  return absl::NotFoundError(absl::StrCat("no workload is named '", name.substr(0, 200), "'", Suggestion(name, known)));
}

}  // namespace tunefleet::codegen
