#include "codegen/primitives/prefetch.h"

#include "absl/strings/str_cat.h"
#include "codegen/primitives/sites.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

constexpr int64_t kFurthest = int64_t{1} << 20;

}  // namespace

absl::StatusOr<LoopNest> Prefetch(const LoopNest& nest, absl::string_view buffer, const std::vector<int64_t>& bytes) {
  TF_ASSIGN_OR_RETURN(const int target, FindBufferInMemory(nest, buffer));
  if (bytes.size() != 1 || bytes[0] < 1 || bytes[0] > kFurthest) {
    return absl::InvalidArgumentError(absl::StrCat("expected one distance from 1 to ", kFurthest, " bytes"));
  }
  LoopNest result = nest;
  result.buffers[target].prefetch_bytes = bytes[0];
  return result;
}

}  // namespace tunefleet::codegen
