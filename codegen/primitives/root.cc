#include "codegen/primitives/root.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "codegen/primitives/sites.h"

namespace tunefleet::codegen {
namespace {

std::vector<Stmt> RootStmts(const Stmt& root) {
  if (const Seq* seq = As<Seq>(root)) return seq->stmts;
  return {root};
}

// Which statement of the root holds the path's target.
size_t RootIndex(const std::vector<Stmt>& stmts, const Path& path) {
  const Stmt& holder = As<Seq>(path.stmts[0]) != nullptr ? path.stmts[1] : path.stmts[0];
  return static_cast<size_t>(std::find(stmts.begin(), stmts.end(), holder) - stmts.begin());
}

const Stmt& RootOf(const LoopNest& nest, const Path& path) { return path.in_prepare ? nest.prepare : nest.run; }

}  // namespace

absl::Status CheckWrittenBefore(const LoopNest& nest, const Path& path, int buffer) {
  const std::vector<Stmt> stmts = RootStmts(RootOf(nest, path));
  for (size_t i = RootIndex(stmts, path); i < stmts.size(); ++i) {
    for (const Block* block : BlocksIn(stmts[i])) {
      if (!Writes(*block, buffer)) continue;
      return Refuse(absl::StrCat("buffer '", nest.buffers[buffer].name, "' is written by block '", block->name,
                                 "', expected it complete before the statement of the root that reads it"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckReadAfter(const LoopNest& nest, const Path& path, int buffer) {
  const std::vector<Stmt> stmts = RootStmts(RootOf(nest, path));
  for (const Block* block : BlocksIn(stmts[RootIndex(stmts, path)])) {
    if (block == As<Block>(path.target()) || !Reads(*block, buffer)) continue;
    return Refuse(absl::StrCat("buffer '", nest.buffers[buffer].name, "' is read by block '", block->name,
                               "' in the same statement of the root, expected reads in later statements only"));
  }
  return absl::OkStatus();
}

LoopNest ReplaceAndPlace(const LoopNest& nest, const Path& path, const Stmt& replacement, const Stmt& stmt,
                         Place place) {
  const size_t index = RootIndex(RootStmts(RootOf(nest, path)), path);
  LoopNest result = ReplaceTarget(nest, path, replacement);
  Stmt& root = path.in_prepare ? result.prepare : result.run;
  std::vector<Stmt> stmts = RootStmts(root);
  stmts.insert(stmts.begin() + static_cast<std::ptrdiff_t>(place == Place::kBefore ? index : index + 1), stmt);
  root = MakeSeq(std::move(stmts));
  return result;
}

}  // namespace tunefleet::codegen
