#include "codegen/llvm/tensor_emitter.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "codegen/ir/tree.h"
#include "codegen/llvm/element_type.h"
#include "common/check.h"
#include "llvm/IR/IntrinsicsAArch64.h"

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

// A target without a list of features has those of its cpu, which are taken to be enough where code can be generated
// without them.
bool HasInstructions(const v1::Target& target, const TensorIntrinsic& intrinsic) {
  const auto& features = target.features();
  const bool arm64 = intrinsic.architecture == "aarch64" && absl::StartsWith(target.triple(), "arm64");
  if (!arm64 && !absl::StartsWith(target.triple(), intrinsic.architecture)) return intrinsic.elsewhere;
  if (features.empty()) return intrinsic.elsewhere;
  return std::find(features.begin(), features.end(), intrinsic.feature) != features.end();
}

}  // namespace

absl::Status CheckIntrinsics(const LoopNest& nest, const v1::Target& target) {
  for (const Stmt& root : {nest.prepare, nest.run}) {
    if (root == nullptr) continue;
    for (const Loop* loop : LoopsIn(root)) {
      if (loop->kind != LoopKind::kTensorized) continue;
      const TensorIntrinsic* intrinsic = FindIntrinsic(loop->intrinsic);
      TF_CHECK(intrinsic != nullptr, "lowering knows the intrinsic");
      if (HasInstructions(target, *intrinsic)) continue;
      return absl::FailedPreconditionError(absl::StrCat("loop '", loop->var->name, "': intrinsic '", intrinsic->name,
                                                        "' needs ", intrinsic->feature, " of ", intrinsic->architecture,
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
  if (absl::StartsWith(intrinsic->name, "dot.")) return EmitDot(*match);
  EmitTranspose(*match, *ConstantInt(match->loops[0]->extent));
}

void TensorEmitter::EmitDot(const IntrinsicMatch& match) {
  const Store& store = match.block->body[0];
  const Expr& group = store.value->operands[0]->operands[0];  // the product's factors are casts of loads
  const Expr& rows = store.value->operands[1]->operands[0];
  llvm::Type* sums = WithLanes(builder_.getInt32Ty(), 4);
  llvm::Type* bytes = WithLanes(builder_.getInt8Ty(), 16);
  llvm::Value* old = LoadAt(match, store.buffer, store.indices, sums);
  llvm::Value* right = LoadAt(match, rows->buffer, rows->operands, bytes);
  llvm::Value* left = builder_.CreateBitCast(BroadcastGroup(match, group), bytes);
  llvm::Value* sum = builder_.CreateIntrinsic(llvm::Intrinsic::aarch64_neon_sdot, {sums, bytes}, {old, right, left});
  const Address address = ElementAt(match, store.buffer, store.indices, {0, 0});
  MarkNoAlias(builder_.CreateAlignedStore(sum, address.pointer, address.alignment), store.buffer);
}

// Where a row of 16 elements is known to hold the group, the whole row is loaded: other steps find it in its register,
// and sdot takes one of its lanes.
llvm::Value* TensorEmitter::BroadcastGroup(const IntrinsicMatch& match, const Expr& load) {
  constexpr int64_t kGroup = 4, kRow = 16;
  const Buffer& buffer = frame_.lowered().nest.buffers[load->buffer];
  const std::vector<Expr> indices = ElementIndices(match, load->operands, {0, 0});
  const LinearForm column = LinearFormOf(indices.back());
  bool in_row = buffer.shape.back() % kRow == 0 && buffer.row_padding == 0 && column.constant % kGroup == 0;
  for (const auto& [atom, coefficient] : column.terms) in_row = in_row && coefficient % kRow == 0;
  if (!in_row) {
    return builder_.CreateVectorSplat(4, LoadAt(match, load->buffer, load->operands, builder_.getInt32Ty()));
  }
  const int64_t offset = FloorModInt(column.constant, kRow);
  std::vector<Expr> row = load->operands;
  row.back() = row.back() - Int(offset);
  llvm::Value* groups = LoadAt(match, load->buffer, row, WithLanes(builder_.getInt32Ty(), kRow / kGroup));
  return builder_.CreateShuffleVector(groups, std::vector<int>(4, static_cast<int>(offset / kGroup)));
}

llvm::Value* TensorEmitter::LoadAt(const IntrinsicMatch& match, int buffer, const std::vector<Expr>& indices,
                                   llvm::Type* type) {
  const Address address = ElementAt(match, buffer, indices, std::vector<int64_t>(match.loops.size(), 0));
  llvm::LoadInst* load = builder_.CreateAlignedLoad(type, address.pointer, address.alignment);
  MarkNoAlias(load, buffer);
  return load;
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
  return AddressOf(frame_, buffer, ElementIndices(match, indices, values),
                   [this](const Expr& index) { return frame_.PureValue(index); });
}

std::vector<Expr> TensorEmitter::ElementIndices(const IntrinsicMatch& match, const std::vector<Expr>& indices,
                                                const std::vector<int64_t>& values) const {
  VarMap at;
  for (size_t i = 0; i < match.loops.size(); ++i) at[match.loops[i]->var] = Int(values[i]);
  std::vector<Expr> element;
  for (const Expr& index : indices) element.push_back(Simplify(Substitute(index, at), frame_.ranges()));
  return element;
}

void TensorEmitter::MarkNoAlias(llvm::Instruction* access, int buffer) {
  access->setMetadata(llvm::LLVMContext::MD_alias_scope, scopes_.scope[buffer]);
  access->setMetadata(llvm::LLVMContext::MD_noalias, scopes_.noalias[buffer]);
}

}  // namespace tunefleet::codegen
