#include "codegen/primitives/partition.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "codegen/ir/tree.h"
#include "codegen/primitives/names.h"
#include "codegen/primitives/sites.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

absl::Status CheckPoints(const Loop& loop, int64_t extent, const std::vector<int64_t>& points,
                         const std::vector<std::string>& suffixes) {
  int64_t previous = 0;
  for (const int64_t point : points) {
    if (point <= previous || point >= extent) {
      return absl::InvalidArgumentError(
          absl::StrCat("loop '", loop.var->name, "': points [", absl::StrJoin(points, ","),
                       "], expected them ascending and between 0 and the extent ", extent));
    }
    previous = point;
  }
  if (points.empty() || suffixes.size() != points.size() + 1) {
    return absl::InvalidArgumentError(absl::StrCat("loop '", loop.var->name, "': ", points.size(), " points and ",
                                                   suffixes.size(),
                                                   " suffixes, expected a point at least and one more suffix"));
  }
  return absl::OkStatus();
}

absl::Status CheckNames(const LoopNest& nest, const Stmt& stmt, const std::vector<std::string>& suffixes) {
  std::vector<std::string> loops, blocks;
  for (const Loop* loop : LoopsIn(stmt)) loops.push_back(loop->var->name);
  for (const Block* block : BlocksIn(stmt)) blocks.push_back(block->name);
  for (const std::vector<std::string>* names : {&loops, &blocks}) {
    std::vector<std::string> renamed;
    for (const std::string& suffix : suffixes) {
      for (const std::string& name : *names) renamed.push_back(absl::StrCat(name, suffix));
    }
    TF_RETURN_IF_ERROR(CheckNewNames(nest, renamed, *names));
  }
  return absl::OkStatus();
}

// Scratch that is used nowhere but in the statement: each iteration of a loop around it has its own.
std::vector<int> PrivateScratch(const LoopNest& nest, const Stmt& stmt) {
  const std::vector<const Block*> inside = BlocksIn(stmt);
  std::vector<int> found;
  for (int buffer = 0; buffer < static_cast<int>(nest.buffers.size()); ++buffer) {
    if (!IsScratch(nest.buffers[buffer])) continue;
    const std::vector<const Block*> users = UsersOf(nest, buffer);
    const bool all_inside = std::all_of(users.begin(), users.end(), [&inside](const Block* user) {
      return std::find(inside.begin(), inside.end(), user) != inside.end();
    });
    if (!users.empty() && all_inside) found.push_back(buffer);
  }
  return found;
}

using BufferMap = absl::flat_hash_map<int, int>;

Block WithBuffers(Block block, const BufferMap& buffers) {
  const auto mapped = [&buffers](int buffer) {
    const auto found = buffers.find(buffer);
    return found == buffers.end() ? buffer : found->second;
  };
  for (std::vector<BufferRegion>* regions : {&block.reads, &block.writes}) {
    for (BufferRegion& region : *regions) region.buffer = mapped(region.buffer);
  }
  for (std::vector<Store>* stores : {&block.init, &block.body}) {
    for (Store& store : *stores) store.buffer = mapped(store.buffer);
  }
  return RewriteBlockExprs(std::move(block), [&mapped](const Expr& expr) {
    return expr->kind == ExprKind::kLoad ? Load(mapped(expr->buffer), expr->type, expr->operands) : expr;
  });
}

// A copy of the statement with suffixed names and loop variables of its own; `map` holds the copies of outer variables.
Stmt CopyOf(const Stmt& stmt, const std::string& suffix, const BufferMap& buffers, VarMap* map,
            std::vector<const Loop*>* around) {
  if (const Block* original = As<Block>(stmt)) {
    Block block = buffers.empty() ? *original : WithBuffers(*original, buffers);
    block.name += suffix;
    for (BlockIter& iter : block.iters) iter.binding = Substitute(iter.binding, *map);
    for (Expr& conjunct : block.predicate) conjunct = Substitute(conjunct, *map);
    if (!block.init.empty()) {
      const VarRanges ranges = LoopRanges(*around);
      const bool never_starts = std::any_of(block.iters.begin(), block.iters.end(), [&ranges](const BlockIter& iter) {
        return iter.kind != IterKind::kSpatial && ProvablyTrue(Less(Int(0), iter.binding), ranges);
      });
      if (never_starts) block.init.clear();
    }
    return MakeStmt(std::move(block));
  }
  if (const Seq* seq = As<Seq>(stmt)) {
    std::vector<Stmt> stmts;
    for (const Stmt& child : seq->stmts) stmts.push_back(CopyOf(child, suffix, buffers, map, around));
    return MakeSeq(std::move(stmts));
  }
  if (const If* branch = As<If>(stmt)) {
    return MakeStmt(If{Substitute(branch->condition, *map), CopyOf(branch->then_stmt, suffix, buffers, map, around)});
  }
  Loop loop = *As<Loop>(stmt);
  const Var original = loop.var;
  loop.var = MakeVar(absl::StrCat(original->name, suffix));
  loop.begin = Substitute(loop.begin, *map);
  loop.extent = Substitute(loop.extent, *map);
  (*map)[original] = VarRef(loop.var);
  const Stmt body = loop.body;
  loop.body = nullptr;
  around->push_back(&loop);
  loop.body = CopyOf(body, suffix, buffers, map, around);
  around->pop_back();
  return MakeStmt(std::move(loop));
}

}  // namespace

absl::StatusOr<LoopNest> Partition(const LoopNest& nest, absl::string_view loop, const std::vector<int64_t>& points,
                                   const std::vector<std::string>& suffixes) {
  TF_ASSIGN_OR_RETURN(const Path path, FindLoop(nest, loop));
  const Loop& target = *As<Loop>(path.target());
  TF_RETURN_IF_ERROR(CheckSerial(target));
  const std::optional<int64_t> extent = ConstantInt(target.extent);
  if (!extent.has_value()) {
    return Refuse(absl::StrCat("loop '", loop, "' has an extent that depends on outer loops, expected a constant"));
  }
  TF_RETURN_IF_ERROR(CheckPoints(target, *extent, points, suffixes));
  TF_RETURN_IF_ERROR(CheckNames(nest, path.target(), suffixes));

  std::vector<const Loop*> around = path.Loops();
  around.pop_back();
  LoopNest named = nest;
  const std::vector<int> scratch = PrivateScratch(nest, target.body);
  std::vector<Stmt> parts;
  for (size_t i = 0; i <= points.size(); ++i) {
    BufferMap buffers;  // the first part keeps the buffers themselves, under its names
    for (const int buffer : scratch) {
      Buffer own = nest.buffers[buffer];
      own.name += suffixes[i];
      if (named.FindBuffer(own.name) >= 0) {
        return absl::AlreadyExistsError(absl::StrCat("loop '", loop, "': the buffer '", own.name, "' exists already"));
      }
      if (i == 0) {
        named.buffers[buffer] = std::move(own);
      } else {
        buffers[buffer] = static_cast<int>(named.buffers.size());
        named.buffers.push_back(std::move(own));
      }
    }
    const int64_t from = i == 0 ? 0 : points[i - 1];
    const int64_t to = i == points.size() ? *extent : points[i];
    Loop part = target;
    part.begin = target.begin + Int(from);
    part.extent = Int(to - from);
    VarMap map;
    parts.push_back(CopyOf(MakeStmt(std::move(part)), suffixes[i], buffers, &map, &around));
  }
  return ReplaceTarget(named, path, MakeSeq(std::move(parts)));
}

}  // namespace tunefleet::codegen
