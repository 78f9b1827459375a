#include "codegen/llvm/tensor_emitter.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "codegen/ir/tree.h"
#include "codegen/llvm/element_type.h"
#include "common/check.h"

namespace tunefleet::codegen {
namespace {

// rows[r][c] becomes rows[c][r], by exchanging halves of pairs of rows at distances 1, 2, 4, ...
void TransposeRows(llvm::IRBuilder<>& builder, std::vector<llvm::Value*>& rows) {
  const int size = static_cast<int>(rows.size());
  for (int distance = 1; distance < size; distance *= 2) {
    std::vector<int> low(rows.size()), high(rows.size());
    for (int lane = 0; lane < size; ++lane) {
      const bool odd = (lane & distance) != 0;
      low[static_cast<size_t>(lane)] = odd ? size + lane - distance : lane;
      high[static_cast<size_t>(lane)] = odd ? size + lane : lane + distance;
    }
    for (int row = 0; row < size; ++row) {
      if ((row & distance) != 0) continue;
      llvm::Value*& a = rows[static_cast<size_t>(row)];
      llvm::Value*& b = rows[static_cast<size_t>(row + distance)];
      llvm::Value* first = builder.CreateShuffleVector(a, b, low);
      b = builder.CreateShuffleVector(a, b, high);
      a = first;
    }
  }
}

}  // namespace

absl::Status CheckIntrinsics(const LoopNest& nest, const v1::Target& target) {
  if (!absl::StartsWith(target.triple(), "x86_64")) return absl::OkStatus();
  for (const Stmt& root : {nest.prepare, nest.run}) {
    if (root == nullptr) continue;
    for (const Loop* loop : LoopsIn(root)) {
      if (loop->kind != LoopKind::kTensorized) continue;
      const TensorIntrinsic* intrinsic = FindIntrinsic(loop->intrinsic);
      TF_CHECK(intrinsic != nullptr, "lowering knows the intrinsic");
      const auto& features = target.features();
      if (features.empty() || std::find(features.begin(), features.end(), intrinsic->x86_feature) != features.end()) {
        continue;
      }
      return absl::FailedPreconditionError(absl::StrCat("loop '", loop->var->name, "': intrinsic '", intrinsic->name,
                                                        "' needs ", intrinsic->x86_feature,
                                                        ", which the target does not have"));
    }
  }
  return absl::OkStatus();
}

void TensorEmitter::Emit(const Stmt& loop) {
  const TensorIntrinsic* intrinsic = FindIntrinsic(As<Loop>(loop)->intrinsic);
  TF_CHECK(intrinsic != nullptr, "lowering knows the intrinsic");
  const absl::StatusOr<IntrinsicMatch> match = MatchIntrinsic(frame_.lowered().nest, *intrinsic, loop, frame_.ranges());
  TF_CHECK(match.ok(), std::string(match.status().message()));
  EmitTranspose(*match, *ConstantInt(match->loops[0]->extent));
}

void TensorEmitter::EmitTranspose(const IntrinsicMatch& match, int64_t size) {
  const Store& store = match.block->body[0];
  const int from = store.value->buffer;
  llvm::Type* scalar = MemoryType(builder_.getContext(), frame_.lowered().nest.buffers[from].type);
  llvm::Type* type = WithLanes(scalar, size);
  std::vector<llvm::Value*> rows;
  for (int64_t i = 0; i < size; ++i) {
    const Address address = ElementAt(match, from, store.value->operands, {i, 0});
    llvm::LoadInst* row = builder_.CreateAlignedLoad(type, address.pointer, address.alignment);
    MarkNoAlias(row, from);
    rows.push_back(row);
  }
  TransposeRows(builder_, rows);
  for (int64_t j = 0; j < size; ++j) {
    const Address address = ElementAt(match, store.buffer, store.indices, {0, j});
    MarkNoAlias(builder_.CreateAlignedStore(rows[static_cast<size_t>(j)], address.pointer, address.alignment),
                store.buffer);
  }
}

Address TensorEmitter::ElementAt(const IntrinsicMatch& match, int buffer, const std::vector<Expr>& indices,
                                 const std::vector<int64_t>& values) {
  VarMap at;
  for (size_t i = 0; i < match.loops.size(); ++i) at[match.loops[i]->var] = Int(values[i]);
  std::vector<Expr> element;
  for (const Expr& index : indices) element.push_back(Simplify(Substitute(index, at), frame_.ranges()));
  return AddressOf(frame_, buffer, element, [this](const Expr& index) { return frame_.PureValue(index); });
}

void TensorEmitter::MarkNoAlias(llvm::Instruction* access, int buffer) {
  access->setMetadata(llvm::LLVMContext::MD_alias_scope, scopes_.scope[buffer]);
  access->setMetadata(llvm::LLVMContext::MD_noalias, scopes_.noalias[buffer]);
}

}  // namespace tunefleet::codegen
