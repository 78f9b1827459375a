#include "codegen/primitives/independence.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "codegen/ir/printer.h"
#include "codegen/primitives/sites.h"

namespace tunefleet::codegen {
namespace {

// One access to a buffer, its region over loop variables.
struct Access {
  std::vector<Range> region;
  VarRanges ranges;
};

// What one dimension of an access looks like from the loop.
struct Projection {
  std::optional<Digit> digit;  // of the loop
  int64_t coefficient = 0;
  LinearForm fixed;      // what stands still, constant left out
  Interval other{0, 0};  // everything else, constant and extent included
};

std::optional<Projection> Project(const Range& range, const Loop& loop, const VarSet& fixed, const VarRanges& ranges) {
  Projection projection;
  const LinearForm form = LinearFormOf(range.begin);
  projection.other = {form.constant, form.constant + range.extent - 1};
  for (const auto& [atom, coefficient] : form.terms) {
    if (UsesVar(atom, loop.var)) {
      if (projection.digit.has_value()) return std::nullopt;
      projection.digit = DigitOf(atom, {&loop});
      projection.coefficient = coefficient;
      if (!projection.digit.has_value()) return std::nullopt;
      continue;
    }
    bool stands_still = true;
    Visit(atom, [&](const Expr& node) {
      if (node->kind == ExprKind::kVar && !fixed.contains(node->var)) stands_still = false;
    });
    if (stands_still) {
      projection.fixed.terms.emplace_back(atom, coefficient);
      continue;
    }
    const std::optional<Interval> bounds = BoundsOf(atom, ranges);
    if (!bounds.has_value()) return std::nullopt;
    projection.other.min += coefficient * (coefficient > 0 ? bounds->min : bounds->max);
    projection.other.max += coefficient * (coefficient > 0 ? bounds->max : bounds->min);
  }
  return projection;
}

bool SameDigit(const Projection& a, const Projection& b) {
  return a.digit.has_value() == b.digit.has_value() && a.coefficient == b.coefficient &&
         (!a.digit.has_value() || (a.digit->divisor == b.digit->divisor && a.digit->count == b.digit->count));
}

// The digit of the loop that keeps its values apart in dimension `d`, whatever else varies; nullopt when there is none.
std::optional<Digit> SeparatingDigit(const std::vector<Access>& accesses, size_t d, const Loop& loop,
                                     const VarSet& fixed) {
  std::optional<Projection> all;
  for (const Access& access : accesses) {
    const std::optional<Projection> one = Project(access.region[d], loop, fixed, access.ranges);
    if (!one.has_value()) return std::nullopt;
    if (!all.has_value()) {
      all = one;
      continue;
    }
    if (!SameDigit(*all, *one) || ConstantDifference(ToExpr(all->fixed), ToExpr(one->fixed)) != 0) return std::nullopt;
    all->other = {std::min(all->other.min, one->other.min), std::max(all->other.max, one->other.max)};
  }
  if (!all.has_value() || std::abs(all->coefficient) <= all->other.max - all->other.min) return std::nullopt;
  return all->digit;
}

bool KeptApart(const std::vector<Access>& accesses, size_t rank, const Loop& loop, const VarSet& fixed) {
  std::vector<Digit> digits;
  for (size_t d = 0; d < rank; ++d) {
    const std::optional<Digit> digit = SeparatingDigit(accesses, d, loop, fixed);
    if (!digit.has_value()) continue;
    if (CoverageOf({*digit}, loop).complete) return true;
    digits.push_back(*digit);
  }
  return CoverageOf(digits, loop).complete;
}

void AppendAccesses(const Site& site, const std::vector<BufferRegion>& regions, int buffer,
                    std::vector<Access>* accesses) {
  for (const BufferRegion& region : regions) {
    if (region.buffer != buffer) continue;
    Access access{.region = {}, .ranges = LoopRanges(site.loops)};
    const VarMap bindings = BindingsOf(*site.block);
    for (const Range& range : region.ranges) {
      access.region.push_back({Simplify(Substitute(range.begin, bindings), access.ranges), range.extent});
    }
    accesses->push_back(std::move(access));
  }
}

bool IsOwn(const LoopNest& nest, int buffer, const std::vector<Site>& sites) {
  if (!IsScratch(nest.buffers[buffer])) return false;
  const auto uses = std::count_if(sites.begin(), sites.end(), [buffer](const Site& site) {
    return Reads(*site.block, buffer) || Writes(*site.block, buffer);
  });
  return static_cast<size_t>(uses) == UsersOf(nest, buffer).size();
}

}  // namespace

absl::Status CheckIndependent(const LoopNest& nest, const Loop& loop, const std::vector<const Loop*>& around,
                              const VarSet& fixed, const Stmt& body) {
  const std::vector<Site> sites = SitesIn(body, around);
  std::vector<std::pair<int, const Block*>> written;
  for (const Site& site : sites) {
    for (const BlockIter& iter : site.block->iters) {
      if (iter.kind == IterKind::kSpatial || !UsesVar(iter.binding, loop.var)) continue;
      return Refuse(absl::StrCat("loop '", loop.var->name, "': block '", site.block->name,
                                 "' reduces over it (iterator ", iter.var->name,
                                 "), expected a loop bound to spatial iterators only"));
    }
    for (const BufferRegion& region : site.block->writes) {
      const bool known = std::any_of(written.begin(), written.end(),
                                     [&region](const auto& entry) { return entry.first == region.buffer; });
      if (!known) written.emplace_back(region.buffer, site.block);
    }
  }
  for (const auto& [buffer, block] : written) {
    if (IsOwn(nest, buffer, sites)) continue;
    std::vector<Access> accesses;
    for (const Site& site : sites) {
      AppendAccesses(site, site.block->reads, buffer, &accesses);
      AppendAccesses(site, site.block->writes, buffer, &accesses);
    }
    if (KeptApart(accesses, nest.buffers[buffer].shape.size(), loop, fixed)) continue;
    return Refuse(absl::StrCat("loop '", loop.var->name, "': its iterations overlap in buffer '",
                               nest.buffers[buffer].name, "', written by block '", block->name,
                               "'; expected each iteration to use a part of its own, or scratch used nowhere else"));
  }
  return absl::OkStatus();
}

absl::Status CheckIndependent(const LoopNest& nest, const std::vector<const Loop*>& loops) {
  VarSet fixed = VarsOf(loops);
  fixed.erase(loops.back()->var);
  return CheckIndependent(nest, *loops.back(), loops, fixed, loops.back()->body);
}

absl::Status CheckConcurrentLoops(const LoopNest& nest, const Path& path) {
  std::vector<const Loop*> loops;
  for (const Loop* loop : path.Loops()) {
    loops.push_back(loop);
    if (loop->kind == LoopKind::kSerial || loop->kind == LoopKind::kUnrolled) continue;
    if (loop->kind == LoopKind::kTensorized) continue;  // nothing can be placed in it
    if (absl::Status status = CheckIndependent(nest, loops); !status.ok()) {
      return Refuse(absl::StrCat("the ", TextOf(loop->kind), " loop would no longer be: ", status.message()));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckNoneVectorized(const std::vector<const Loop*>& loops) {
  for (const Loop* loop : loops) {
    if (loop->kind != LoopKind::kVectorized && loop->kind != LoopKind::kTensorized) continue;
    return Refuse(
        absl::StrCat("loop '", loop->var->name, "' is ", TextOf(loop->kind), ": nothing can be placed in it"));
  }
  return absl::OkStatus();
}

}  // namespace tunefleet::codegen
