#include "codegen/spaces/output_tile.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"

namespace tunefleet::codegen {

OutputTile::OutputTile(const v1::Workload& workload, std::vector<std::string> axes, Passes passes,
                       ScheduleBuilder* schedule)
    : anchor_(workload.nodes(0).kind()),
      axes_(std::move(axes)),
      passes_(passes),
      schedule_(schedule),
      copies_(workload.nodes_size() == 1 && passes == Passes::kOne) {
  for (int i = 1; i < workload.nodes_size(); ++i) epilogue_.push_back(workload.nodes(i).kind());
  if (passes_ == Passes::kSeveral) return;
  if (copies_) {
    schedule_->CacheWrite(anchor_, "output", "local", "acc");
    locals_ = {"acc"};
    blocks_ = {"acc.out"};
    return;
  }
  for (int i = 1; i < workload.nodes_size(); ++i) {
    locals_.push_back(workload.nodes(i).inputs(0));
    schedule_->SetScope(locals_.back(), "local");
  }
  blocks_ = epilogue_;
}

void OutputTile::TransformLayout(const std::vector<std::string>& terms) {
  for (const std::string& local : locals_) schedule_->TransformLayout(local, terms, local);
}

void OutputTile::PlaceCarriersAt(absl::string_view loop) {
  for (const std::string& carrier : blocks_) schedule_->ReverseComputeAt(carrier, loop);
}

void OutputTile::PlaceAt(absl::string_view loop, absl::string_view reduction) {
  if (passes_ == Passes::kSeveral) {
    schedule_->AccumulateAt(anchor_, loop, "local", "acc");
    locals_ = {"acc"};
    blocks_ = {"acc.init", "acc.zero", "acc.out"};
    return;
  }
  PlaceCarriersAt(loop);
  schedule_->DecomposeReduction(anchor_, reduction, "init");
  blocks_.push_back("init");
}

std::string OutputTile::PlaceEpilogueAt(absl::string_view loop) {
  TF_CHECK(passes_ == Passes::kSeveral, "an epilogue of its own is for sums in several passes");
  if (epilogue_.empty()) return "";
  for (size_t i = 0; i + 1 < epilogue_.size(); ++i) schedule_->ComputeInline(epilogue_[i]);
  schedule_->ReverseComputeAt(epilogue_.back(), loop);
  return epilogue_.back();
}

std::string OutputTile::Loop(const std::string& block, absl::string_view axis) const {
  if (!copies_ || block == "init") return absl::StrCat(block, ".", axis);
  const auto at = std::find(axes_.begin(), axes_.end(), axis);
  TF_CHECK(at != axes_.end(), "the output has the axis");
  return absl::StrCat(block, ".d", at - axes_.begin());
}

}  // namespace tunefleet::codegen
