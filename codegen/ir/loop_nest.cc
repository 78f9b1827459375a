#include "codegen/ir/loop_nest.h"

#include <algorithm>
#include <utility>

namespace tunefleet::codegen {

int64_t Buffer::NumElements() const {
  int64_t count = 1;
  for (const int64_t extent : shape) count *= extent;
  return count;
}

Stmt MakeStmt(Loop loop) { return std::make_shared<const StmtNode>(StmtNode{std::move(loop)}); }
Stmt MakeStmt(Block block) { return std::make_shared<const StmtNode>(StmtNode{std::move(block)}); }
Stmt MakeStmt(If branch) { return std::make_shared<const StmtNode>(StmtNode{std::move(branch)}); }

Stmt MakeSeq(std::vector<Stmt> stmts) {
  Seq seq;
  seq.stmts.reserve(stmts.size());
  for (Stmt& stmt : stmts) {
    if (stmt == nullptr) continue;
    if (const Seq* nested = As<Seq>(stmt)) {
      seq.stmts.insert(seq.stmts.end(), nested->stmts.begin(), nested->stmts.end());
    } else {
      seq.stmts.push_back(std::move(stmt));
    }
  }
  if (seq.stmts.empty()) return nullptr;
  if (seq.stmts.size() == 1) return seq.stmts.front();
  return std::make_shared<const StmtNode>(StmtNode{std::move(seq)});
}

int LoopNest::FindBuffer(const std::string& name) const {
  for (size_t i = 0; i < buffers.size(); ++i) {
    if (buffers[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

bool LoopNest::FoldsLoads() const {
  return std::any_of(buffers.begin(), buffers.end(), [](const Buffer& buffer) { return buffer.fold_loads; });
}

}  // namespace tunefleet::codegen
