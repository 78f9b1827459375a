#include "codegen/primitives/tensorize.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "codegen/ir/tensor_intrinsic.h"
#include "codegen/ir/tree.h"
#include "codegen/primitives/affine.h"
#include "codegen/primitives/independence.h"
#include "codegen/primitives/sites.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

// The condition, an index that must not be negative, without the moving variables, where it holds for all of their
// values or for none: what does not move comes in steps that are too wide to end in between. Nullopt otherwise.
std::optional<Expr> ForAllOrNone(const Expr& condition, const VarSet& moving, const VarRanges& ranges) {
  const std::optional<LinearForm> form = NonNegativeForm(condition);
  if (!form.has_value()) return std::nullopt;
  LinearForm fixed;
  fixed.constant = form->constant;
  int64_t step = 0, least = 0, most = 0;
  for (const auto& [atom, coefficient] : form->terms) {
    if (!UsesAny(atom, moving)) {
      fixed.terms.emplace_back(atom, coefficient);
      step = std::gcd(step, coefficient);
      continue;
    }
    const std::optional<Interval> range = BoundsOf(atom, ranges);
    if (!range.has_value()) return std::nullopt;
    least += coefficient * (coefficient > 0 ? range->min : range->max);
    most += coefficient * (coefficient > 0 ? range->max : range->min);
  }
  // Values of the fixed part for which some but not all hold: from -most to -least - 1.
  if (step == 0) return std::nullopt;
  const int64_t first = -most + FloorModInt(form->constant + most, step);  // the first one that it may take
  if (first < -least) return std::nullopt;
  fixed.constant += least;
  return LessEqual(Int(0), ToExpr(fixed));
}

// Whether the intrinsic's loop number `number` is one of a reduction.
bool SumsOver(const TensorIntrinsic& intrinsic, size_t number) {
  const Loop* const loop = LoopsIn(intrinsic.description.run)[number];
  const std::vector<BlockIter>& iters = BlocksIn(intrinsic.description.run)[0]->iters;
  return std::any_of(iters.begin(), iters.end(), [loop](const BlockIter& iter) {
    return iter.kind == IterKind::kReduction && UsesVar(iter.binding, loop->var);
  });
}

Stmt Marked(const Stmt& stmt, size_t loops, const std::string& intrinsic, const Stmt& block) {
  if (loops == 0) return block;
  Loop loop = *As<Loop>(stmt);
  loop.kind = LoopKind::kTensorized;
  loop.body = Marked(loop.body, loops - 1, intrinsic, block);
  loop.intrinsic = intrinsic;
  return MakeStmt(std::move(loop));
}

}  // namespace

absl::StatusOr<LoopNest> Tensorize(const LoopNest& nest, absl::string_view loop, absl::string_view intrinsic) {
  TF_ASSIGN_OR_RETURN(const Path path, FindLoop(nest, loop));
  const TensorIntrinsic* wanted = FindIntrinsic(intrinsic);
  if (wanted == nullptr) {
    return absl::NotFoundError(absl::StrCat("no intrinsic is named '", intrinsic, "', expected one of ",
                                            absl::StrJoin(IntrinsicNames(), ", ")));
  }
  // The loops inside, as far as they stand alone.
  std::vector<const Loop*> chain = path.Loops();
  const size_t outer = chain.size() - 1;
  TF_RETURN_IF_ERROR(CheckSerial(*chain.back()));
  while (const Loop* inside = As<Loop>(chain.back()->body)) {
    TF_RETURN_IF_ERROR(CheckSerial(*inside));
    chain.push_back(inside);
  }
  const Block* original = As<Block>(chain.back()->body);
  if (original == nullptr) {
    return Refuse(absl::StrCat("loop '", loop, "' is around several statements, expected loops around one block"));
  }
  const VarSet moving = VarsOf({chain.begin() + static_cast<std::ptrdiff_t>(outer), chain.end()});
  const VarRanges ranges = LoopRanges(chain);
  Block block = *original;
  block.predicate.clear();
  block.guard.clear();
  std::vector<Expr> conditions = original->predicate;
  for (const Expr& conjunct : original->guard) {
    const Expr over_loops = Substitute(conjunct, BindingsOf(block));
    if (UsesAny(over_loops, moving)) {
      conditions.push_back(Simplify(over_loops, ranges));
    } else {
      block.guard.push_back(conjunct);
    }
  }
  for (const Expr& conjunct : conditions) {
    if (!UsesAny(conjunct, moving)) {
      block.predicate.push_back(conjunct);
      continue;
    }
    if (ProvablyTrue(conjunct, ranges)) continue;
    std::optional<Expr> whole = ForAllOrNone(conjunct, moving, ranges);
    if (!whole.has_value()) {
      return Refuse(absl::StrCat("block '", block.name, "': a condition holds for some of the iterations inside loop '",
                                 loop, "' only"));
    }
    block.predicate.push_back(*std::move(whole));
  }
  const Stmt marked = Marked(path.target(), chain.size() - outer, wanted->name, MakeStmt(block));
  const LoopNest result = ReplaceTarget(nest, path, marked);
  VarRanges around = LoopRanges({chain.begin(), chain.begin() + static_cast<std::ptrdiff_t>(outer)});
  TF_ASSIGN_OR_RETURN(const IntrinsicMatch match, MatchIntrinsic(result, *wanted, marked, std::move(around)));
  // All elements are read before any is written, and each is written once but for loops that the intrinsic sums up
  // over.
  std::vector<const Loop*> loops(chain.begin(), chain.begin() + static_cast<std::ptrdiff_t>(outer));
  for (size_t i = 0; i < match.loops.size(); ++i) {
    loops.push_back(match.loops[i]);
    if (!SumsOver(*wanted, i)) TF_RETURN_IF_ERROR(CheckIndependent(result, loops));
  }
  return result;
}

}  // namespace tunefleet::codegen
