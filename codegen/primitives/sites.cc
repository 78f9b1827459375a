#include "codegen/primitives/sites.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "codegen/ir/printer.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

void AppendSites(const Stmt& stmt, std::vector<const Loop*>* loops, std::vector<Site>* sites) {
  if (const Block* block = As<Block>(stmt)) {
    sites->push_back({block, *loops});
  } else if (const Loop* loop = As<Loop>(stmt)) {
    loops->push_back(loop);
    AppendSites(loop->body, loops, sites);
    loops->pop_back();
  } else if (const Seq* seq = As<Seq>(stmt)) {
    for (const Stmt& child : seq->stmts) AppendSites(child, loops, sites);
  } else if (const If* branch = As<If>(stmt)) {
    AppendSites(branch->then_stmt, loops, sites);
  }
}

bool Names(const std::vector<BufferRegion>& regions, int buffer) {
  return std::any_of(regions.begin(), regions.end(),
                     [buffer](const BufferRegion& region) { return region.buffer == buffer; });
}

template <typename Predicate>
std::vector<const Block*> BlocksWhere(const LoopNest& nest, const Predicate& predicate) {
  std::vector<const Block*> blocks;
  for (const Stmt& root : {nest.prepare, nest.run}) {
    for (const Block* block : BlocksIn(root)) {
      if (predicate(*block)) blocks.push_back(block);
    }
  }
  return blocks;
}

}  // namespace

std::vector<Site> SitesIn(const Stmt& stmt, std::vector<const Loop*> outer) {
  std::vector<Site> sites;
  AppendSites(stmt, &outer, &sites);
  return sites;
}

bool Reads(const Block& block, int buffer) { return Names(block.reads, buffer); }
bool Writes(const Block& block, int buffer) { return Names(block.writes, buffer); }

bool IsReduction(const Block& block) {
  return std::any_of(block.iters.begin(), block.iters.end(),
                     [](const BlockIter& iter) { return iter.kind != IterKind::kSpatial; });
}

bool LoadsWhatItWrites(const Block& block) {
  return std::any_of(block.writes.begin(), block.writes.end(),
                     [&block](const BufferRegion& region) { return Reads(block, region.buffer); });
}

bool StoresCommute(const Block& block) {
  for (const Store& store : block.body) {
    const bool alike = std::all_of(block.body.begin(), block.body.end(), [&store](const Store& other) {
      return other.buffer != store.buffer || other.op == store.op;
    });
    if (store.op == StoreOp::kAssign || !alike) return false;
  }
  return !LoadsWhatItWrites(block);
}

std::vector<const Block*> WritersOf(const LoopNest& nest, int buffer) {
  return BlocksWhere(nest, [buffer](const Block& block) { return Writes(block, buffer); });
}

std::vector<const Block*> UsersOf(const LoopNest& nest, int buffer) {
  return BlocksWhere(nest, [buffer](const Block& block) { return Writes(block, buffer) || Reads(block, buffer); });
}

bool IsScratch(const Buffer& buffer) { return buffer.role == Role::kTemporary && buffer.scope != Scope::kGlobal; }

absl::StatusOr<int> FindBufferNamed(const LoopNest& nest, absl::string_view name) {
  const int buffer = nest.FindBuffer(std::string(name));
  if (buffer >= 0) return buffer;
  return absl::NotFoundError(absl::StrCat(
      "no buffer '", name, "'; there are: ", absl::StrJoin(nest.buffers, ", ", [](std::string* out, const Buffer& b) {
        out->append(b.name);
      })));
}

absl::StatusOr<int> FindBufferInMemory(const LoopNest& nest, absl::string_view name) {
  TF_ASSIGN_OR_RETURN(const int found, FindBufferNamed(nest, name));
  const Buffer& buffer = nest.buffers[found];
  if (buffer.scope != Scope::kLocal && buffer.role != Role::kLiteral) return found;
  return Refuse(absl::StrCat("buffer '", name, "' is local or a literal, expected one that is read from memory"));
}

absl::StatusOr<Scope> ScratchScope(absl::string_view name) {
  if (name == "local") return Scope::kLocal;
  if (name == "workspace") return Scope::kWorkspace;
  if (name == "shared") return Scope::kShared;
  return absl::InvalidArgumentError(absl::StrCat("scope '", name, "': expected local, workspace or shared"));
}

absl::Status Refuse(const std::string& message) { return absl::FailedPreconditionError(message); }

absl::Status CheckSerial(const Loop& loop) {
  if (loop.kind == LoopKind::kSerial) return absl::OkStatus();
  return Refuse(absl::StrCat("loop '", loop.var->name, "' is ", TextOf(loop.kind), ", expected a serial loop"));
}

}  // namespace tunefleet::codegen
