#include "codegen/primitives/split.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "codegen/ir/tree.h"
#include "codegen/primitives/names.h"
#include "codegen/primitives/sites.h"
#include "codegen/primitives/substitute_loops.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

constexpr int64_t kMaxProduct = int64_t{1} << 40;

// The extents of the new loops.
absl::StatusOr<std::vector<Expr>> NewExtents(const Loop& loop, const std::vector<int64_t>& factors) {
  int64_t product = 1;
  int open = 0;
  for (const int64_t factor : factors) {
    if (factor == 0) {
      ++open;
    } else if (factor < 0 || factor > kMaxProduct / product) {
      return absl::InvalidArgumentError(absl::StrCat("loop '", loop.var->name, "': factors [",
                                                     absl::StrJoin(factors, ","),
                                                     "], expected each above 0, one 0 at "
                                                     "most, and a product of at most 2^40"));
    } else {
      product *= factor;
    }
  }
  if (factors.empty() || open > 1) {
    return absl::InvalidArgumentError(absl::StrCat("loop '", loop.var->name, "': factors [",
                                                   absl::StrJoin(factors, ","),
                                                   "], expected at least one factor and one 0 at most"));
  }
  const std::optional<int64_t> extent = ConstantInt(loop.extent);
  if (!extent.has_value() && (open == 0 || factors[0] != 0)) {
    return absl::InvalidArgumentError(absl::StrCat("loop '", loop.var->name,
                                                   "' has an extent that depends on outer loops: factors [",
                                                   absl::StrJoin(factors, ","), "], expected a 0 first"));
  }
  if (open == 0 && product < *extent) {
    return absl::InvalidArgumentError(absl::StrCat("loop '", loop.var->name, "': factors [",
                                                   absl::StrJoin(factors, ","), "] make ", product,
                                                   ", expected at least the extent ", *extent));
  }
  std::vector<Expr> extents;
  for (const int64_t factor : factors) {
    extents.push_back(factor != 0 ? Int(factor) : FloorDiv(loop.extent + Int(product - 1), Int(product)));
  }
  return extents;
}

}  // namespace

absl::StatusOr<LoopNest> Split(const LoopNest& nest, absl::string_view loop, const std::vector<int64_t>& factors,
                               const std::vector<std::string>& names) {
  TF_ASSIGN_OR_RETURN(const Path path, FindLoop(nest, loop));
  const Loop& target = *As<Loop>(path.target());
  TF_RETURN_IF_ERROR(CheckSerial(target));
  TF_ASSIGN_OR_RETURN(const std::vector<Expr> extents, NewExtents(target, factors));
  if (names.size() != factors.size()) {
    return absl::InvalidArgumentError(absl::StrCat("loop '", loop, "': ", names.size(), " names for ", factors.size(),
                                                   " factors, expected one name each"));
  }
  TF_RETURN_IF_ERROR(CheckNewNames(nest, names, {std::string(loop)}));

  const std::vector<const Loop*> around = path.Loops();
  VarRanges ranges = LoopRanges({around.begin(), around.end() - 1});
  std::vector<Loop> loops(factors.size());
  int64_t stride = 1;
  Expr position = Int(0);
  for (size_t i = factors.size(); i-- > 0;) {
    loops[i] = Loop{.var = MakeVar(names[i]), .begin = Int(0), .extent = extents[i]};
    position = VarRef(loops[i].var) * Int(stride) + position;
    const std::optional<Interval> bounds = BoundsOf(extents[i], ranges);
    if (bounds.has_value()) ranges[loops[i].var] = {0, std::max<int64_t>(bounds->max - 1, 0)};
    if (i > 0) stride *= *ConstantInt(extents[i]);
  }
  const Expr tail = Less(position, target.extent);
  Stmt stmt = SubstituteLoops(target.body, {{target.var, target.begin + position}},
                              ProvablyTrue(tail, ranges) ? nullptr : tail, ranges);
  for (size_t i = loops.size(); i-- > 0;) {
    loops[i].body = std::move(stmt);
    stmt = MakeStmt(std::move(loops[i]));
  }
  return ReplaceTarget(nest, path, stmt);
}

}  // namespace tunefleet::codegen
