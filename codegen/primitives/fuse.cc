#include "codegen/primitives/fuse.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "codegen/ir/tree.h"
#include "codegen/primitives/names.h"
#include "codegen/primitives/sites.h"
#include "codegen/primitives/substitute_loops.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

// The loops in the order of their names. Errors: FAILED_PRECONDITION, when they cannot become one.
absl::StatusOr<std::vector<const Loop*>> FusibleLoops(const Stmt& outermost, const std::vector<std::string>& names) {
  std::vector<const Loop*> loops;
  Stmt stmt = outermost;
  for (const std::string& name : names) {
    const Loop* loop = As<Loop>(stmt);
    if (loop == nullptr || loop->var->name != name) {
      return Refuse(absl::StrCat("loop '", name, "' is not the whole body of loop '", loops.back()->var->name,
                                 "', expected adjacent loops, outermost first"));
    }
    TF_RETURN_IF_ERROR(CheckSerial(*loop));
    if (!loops.empty() && (!ConstantInt(loop->begin).has_value() || !ConstantInt(loop->extent).has_value())) {
      return Refuse(absl::StrCat("loop '", name, "' has bounds that depend on outer loops, expected constant bounds"));
    }
    loops.push_back(loop);
    stmt = loop->body;
  }
  return loops;
}

}  // namespace

absl::StatusOr<LoopNest> Fuse(const LoopNest& nest, const std::vector<std::string>& loops, absl::string_view name) {
  if (loops.size() < 2) {
    return absl::InvalidArgumentError(absl::StrCat(loops.size(), " loops, expected two or more"));
  }
  TF_ASSIGN_OR_RETURN(const Path path, FindLoop(nest, loops[0]));
  TF_ASSIGN_OR_RETURN(const std::vector<const Loop*> fused, FusibleLoops(path.target(), loops));
  TF_RETURN_IF_ERROR(CheckNewNames(nest, {std::string(name)}, loops));

  const Var var = MakeVar(std::string(name));
  VarMap map;
  int64_t stride = 1;
  for (size_t i = fused.size(); i-- > 0;) {
    Expr digit = FloorDiv(VarRef(var), Int(stride));
    if (i > 0) {
      const int64_t extent = *ConstantInt(fused[i]->extent);
      digit = FloorMod(digit, Int(extent));
      stride *= extent;
    }
    map[fused[i]->var] = fused[i]->begin + digit;
  }
  Loop loop{.var = var, .begin = Int(0), .extent = fused[0]->extent * Int(stride)};
  const std::vector<const Loop*> around = path.Loops();
  VarRanges ranges = LoopRanges({around.begin(), around.end() - 1});
  const std::optional<Interval> bounds = BoundsOf(loop.extent, ranges);
  if (bounds.has_value()) ranges[var] = {0, std::max<int64_t>(bounds->max - 1, 0)};
  loop.body = SubstituteLoops(fused.back()->body, map, nullptr, std::move(ranges));
  return ReplaceTarget(nest, path, MakeStmt(std::move(loop)));
}

}  // namespace tunefleet::codegen
