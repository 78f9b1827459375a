#include "codegen/llvm/block_emitter.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "codegen/ir/element_size.h"
#include "codegen/ir/printer.h"
#include "codegen/llvm/arithmetic.h"
#include "codegen/llvm/element_type.h"
#include "common/check.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"

namespace tunefleet::codegen {
namespace {

bool HasLoads(const Expr& expr) {
  bool found = false;
  Visit(expr, [&](const Expr& e) { found = found || e->kind == ExprKind::kLoad; });
  return found;
}

bool IsVector(const llvm::Value* value) { return value->getType()->isVectorTy(); }

}  // namespace

void BlockEmitter::Emit(const Block& block) {
  llvm::BasicBlock* done = nullptr;
  for (const Expr& condition : block.predicate) {
    if (frame_.UsesLanes(condition)) {
      llvm::Value* lanes = EmitCondition(condition);
      mask_ = mask_ == nullptr ? lanes : builder_.CreateAnd(mask_, lanes);
      continue;
    }
    if (done == nullptr) done = llvm::BasicBlock::Create(builder_.getContext(), "skipped", frame_.function());
    llvm::BasicBlock* next = llvm::BasicBlock::Create(builder_.getContext(), "holds", frame_.function(), done);
    builder_.CreateCondBr(EmitUniform(condition), next, done);
    builder_.SetInsertPoint(next);
  }
  for (const Store& store : block.body) EmitStore(store);
  if (done != nullptr) {
    builder_.CreateBr(done);
    builder_.SetInsertPoint(done);
  }
  mask_ = nullptr;
}

llvm::Value* BlockEmitter::EmitUniform(const Expr& expr) {
  TF_CHECK(!frame_.UsesLanes(expr), "a uniform expression does not depend on the lane");
  return EmitExpr(expr);
}

llvm::Value* BlockEmitter::EmitExpr(const Expr& expr) {
  if (frame_.IsPure(expr)) return frame_.PureValue(expr);
  switch (expr->kind) {
    case ExprKind::kVar:
      return LaneIndices();
    case ExprKind::kBinary: {
      if (expr->type == ScalarType::kBool && frame_.UsesLanes(expr) && !HasLoads(expr)) return EmitCondition(expr);
      llvm::Value* a = EmitExpr(expr->operands[0]);
      llvm::Value* b = EmitExpr(expr->operands[1]);
      if (IsVector(a) || IsVector(b)) {
        a = Splat(a);
        b = Splat(b);
      }
      const ScalarType type = expr->operands[0]->type;
      bool non_negative = false;
      if (type == ScalarType::kIndex) {
        const std::optional<Interval> left = BoundsOf(expr->operands[0], frame_.ranges());
        const std::optional<Interval> right = BoundsOf(expr->operands[1], frame_.ranges());
        non_negative = left.has_value() && right.has_value() && left->min >= 0 && right->min >= 0;
      }
      return EmitBinary(builder_, expr->op, type, a, b, non_negative);
    }
    case ExprKind::kSelect:
      return EmitSelect(expr);
    case ExprKind::kCast:
      return EmitCast(builder_, expr->operands[0]->type, expr->type, EmitExpr(expr->operands[0]));
    case ExprKind::kLoad:
      return EmitLoad(expr->buffer, expr->operands);
    default:
      TF_CHECK(false, "a constant is pure");
      return nullptr;
  }
}

llvm::Value* BlockEmitter::EmitSelect(const Expr& expr) {
  const Expr& then_expr = expr->operands[1];
  const Expr& else_expr = expr->operands[2];
  llvm::Value* condition = EmitExpr(expr->operands[0]);
  const bool lazy = HasLoads(then_expr) || HasLoads(else_expr);
  if (lazy && !IsVector(condition)) return EmitBranchedSelect(condition, expr);

  llvm::Value* outer = mask_;
  if (lazy) mask_ = outer == nullptr ? condition : builder_.CreateAnd(outer, condition);
  llvm::Value* then_value = EmitExpr(then_expr);
  if (lazy) {
    llvm::Value* negated = builder_.CreateNot(condition);
    mask_ = outer == nullptr ? negated : builder_.CreateAnd(outer, negated);
  }
  llvm::Value* else_value = EmitExpr(else_expr);
  mask_ = outer;
  if (IsVector(condition) || IsVector(then_value) || IsVector(else_value)) {
    then_value = Splat(then_value);
    else_value = Splat(else_value);
  }
  return builder_.CreateSelect(condition, then_value, else_value);
}

// The side that is not wanted is not even loaded.
llvm::Value* BlockEmitter::EmitBranchedSelect(llvm::Value* condition, const Expr& expr) {
  llvm::LLVMContext& context = builder_.getContext();
  llvm::BasicBlock* then_block = llvm::BasicBlock::Create(context, "then", frame_.function());
  llvm::BasicBlock* else_block = llvm::BasicBlock::Create(context, "else", frame_.function());
  llvm::BasicBlock* join = llvm::BasicBlock::Create(context, "join", frame_.function());
  builder_.CreateCondBr(condition, then_block, else_block);
  const bool vector = frame_.UsesLanes(expr->operands[1]) || frame_.UsesLanes(expr->operands[2]);

  builder_.SetInsertPoint(then_block);
  llvm::Value* then_value = EmitExpr(expr->operands[1]);
  if (vector) then_value = Splat(then_value);
  llvm::BasicBlock* then_end = builder_.GetInsertBlock();
  builder_.CreateBr(join);

  builder_.SetInsertPoint(else_block);
  llvm::Value* else_value = EmitExpr(expr->operands[2]);
  if (vector) else_value = Splat(else_value);
  llvm::BasicBlock* else_end = builder_.GetInsertBlock();
  builder_.CreateBr(join);

  builder_.SetInsertPoint(join);
  llvm::PHINode* phi = builder_.CreatePHI(then_value->getType(), 2);
  phi->addIncoming(then_value, then_end);
  phi->addIncoming(else_value, else_end);
  return phi;
}

// "lane < n" compares 32-bit lane numbers, which keeps a mask of 16 lanes in one register; anything else is compared as
// indices.
llvm::Value* BlockEmitter::EmitCondition(const Expr& condition) {
  if (condition->kind == ExprKind::kBinary && condition->operands[0]->type == ScalarType::kIndex &&
      (condition->op == BinaryOp::kLess || condition->op == BinaryOp::kLessEqual)) {
    LinearForm difference = LinearFormOf(condition->operands[0] - condition->operands[1]);
    int64_t coefficient = 0;
    bool linear = true;
    const auto takes_lane = [&](const auto& term) {
      if (!frame_.UsesLanes(term.first)) return false;
      linear = linear && term.first->kind == ExprKind::kVar;
      coefficient = term.second;
      return true;
    };
    difference.terms.erase(std::remove_if(difference.terms.begin(), difference.terms.end(), takes_lane),
                           difference.terms.end());
    const Expr rest = ToExpr(difference);
    if (linear && (coefficient == 1 || coefficient == -1) && frame_.IsPure(rest)) {
      // lane + rest < 0: lane < -rest.   rest - lane < 0: lane >= rest + 1.   <= moves the bound by one.
      const int64_t strict = condition->op == BinaryOp::kLess ? 0 : 1;
      const Expr bound = coefficient == 1 ? Int(strict) - rest : rest + Int(1 - strict);
      const Expr clamped = Max(Int(0), Min(Int(frame_.lanes()), bound));
      llvm::Value* limit = Splat(builder_.CreateTrunc(frame_.PureValue(clamped), builder_.getInt32Ty()));
      std::vector<uint32_t> numbers;
      for (int64_t i = 0; i < frame_.lanes(); ++i) numbers.push_back(static_cast<uint32_t>(i));
      llvm::Value* lanes = llvm::ConstantDataVector::get(builder_.getContext(), numbers);
      return coefficient == 1 ? builder_.CreateICmpULT(lanes, limit) : builder_.CreateICmpUGE(lanes, limit);
    }
  }
  if (condition->kind != ExprKind::kBinary) return Splat(EmitExpr(condition));
  llvm::Value* a = Splat(EmitExpr(condition->operands[0]));
  llvm::Value* b = Splat(EmitExpr(condition->operands[1]));
  return EmitBinary(builder_, condition->op, condition->operands[0]->type, a, b, false);
}

llvm::Value* BlockEmitter::EmitLoad(int buffer, const std::vector<Expr>& indices) {
  const Address address = AddressOf(frame_, buffer, indices, [this](const Expr& index) { return EmitUniform(index); });
  const bool safe = mask_ == nullptr || ProvablyInBounds(frame_, buffer, indices);
  llvm::Value* value = EmitLoadAt(buffer, indices, address, safe);
  if (frame_.lowered().nest.buffers[buffer].type != ScalarType::kBool) return value;
  return builder_.CreateICmpNE(value, llvm::Constant::getNullValue(value->getType()));
}

llvm::Value* BlockEmitter::EmitLoadAt(int buffer, const std::vector<Expr>& indices, const Address& address, bool safe) {
  const ScalarType element = frame_.lowered().nest.buffers[buffer].type;
  llvm::Type* scalar = MemoryType(builder_.getContext(), element);
  if (address.IsUniform()) {
    llvm::Value* pointer = address.pointer;
    llvm::Align alignment = address.alignment;
    if (!safe) {
      pointer = builder_.CreateSelect(builder_.CreateOrReduce(mask_), pointer, frame_.DummyPointer());
      alignment = std::min(alignment, llvm::Align(static_cast<uint64_t>(ElementBytes(element))));
    }
    llvm::LoadInst* load = builder_.CreateAlignedLoad(scalar, pointer, alignment);
    return safe ? NoAlias(load, buffer) : load;
  }
  llvm::Type* type = WithLanes(scalar, frame_.lanes());
  if (address.IsVector()) {
    if (safe) {
      EmitPrefetch(buffer, indices, address);
      return EmitVectorLoad(buffer, address, type);
    }
    return NoAlias(
        builder_.CreateMaskedLoad(type, address.pointer, address.alignment, mask_, llvm::Constant::getNullValue(type)),
        buffer);
  }
  const llvm::Align alignment(static_cast<uint64_t>(ElementBytes(element)));
  if (address.irregular.empty() && safe) {
    llvm::Value* vector = llvm::PoisonValue::get(type);
    for (int64_t i = 0; i < frame_.lanes(); ++i) {
      llvm::Value* pointer = builder_.CreateGEP(scalar, address.pointer, builder_.getInt64(i * address.stride));
      llvm::Value* lane = NoAlias(builder_.CreateAlignedLoad(scalar, pointer, alignment), buffer);
      vector = builder_.CreateInsertElement(vector, lane, static_cast<uint64_t>(i));
    }
    return vector;
  }
  return NoAlias(builder_.CreateMaskedGather(type, LanePointers(buffer, address), alignment, safe ? AllLanes() : mask_,
                                             llvm::Constant::getNullValue(type)),
                 buffer);
}

llvm::Value* BlockEmitter::EmitVectorLoad(int buffer, const Address& address, llvm::Type* type) {
  llvm::LoadInst* load = builder_.CreateAlignedLoad(type, address.pointer, address.alignment);
  if (scopes_.kept[buffer]) {
    load->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(builder_.getContext(), {}));
  }
  return NoAlias(load, buffer);
}

// Once for all that read the same vector. Never faults, wherever it points.
void BlockEmitter::EmitPrefetch(int buffer, const std::vector<Expr>& indices, const Address& address) {
  constexpr uint32_t kRead = 0, kIntoSecondLevel = 2, kData = 1;
  const int64_t bytes = frame_.lowered().nest.buffers[buffer].prefetch_bytes;
  if (bytes == 0) return;
  std::string text = absl::StrCat(buffer);
  for (const Expr& index : indices) absl::StrAppend(&text, " ", Print(frame_.lowered().nest, index));
  if (!asked_.insert(std::move(text)).second) return;
  llvm::Value* ahead = builder_.CreateGEP(builder_.getInt8Ty(), address.pointer, builder_.getInt64(bytes));
  builder_.CreateIntrinsic(
      llvm::Intrinsic::prefetch, {ahead->getType()},
      {ahead, builder_.getInt32(kRead), builder_.getInt32(kIntoSecondLevel), builder_.getInt32(kData)});
}

void BlockEmitter::EmitStore(const Store& store) {
  const ScalarType type = frame_.lowered().nest.buffers[store.buffer].type;
  llvm::Value* value = EmitExpr(store.value);
  if (frame_.lanes() != 0) value = Splat(value);
  if (store.op != StoreOp::kAssign) {
    llvm::Value* old = EmitLoad(store.buffer, store.indices);
    value = EmitBinary(builder_, store.op == StoreOp::kAdd ? BinaryOp::kAdd : BinaryOp::kMax, type, old, value, false);
  }
  if (type == ScalarType::kBool) {
    value = builder_.CreateZExt(value, WithLanes(builder_.getInt8Ty(), frame_.lanes()));
  }
  const Address address =
      AddressOf(frame_, store.buffer, store.indices, [this](const Expr& index) { return EmitUniform(index); });
  // What is kept in registers is stored whole, as a masked store would keep it in memory.
  const bool is_register = frame_.lowered().nest.buffers[store.buffer].scope == Scope::kLocal;
  if (mask_ != nullptr && is_register && address.IsVector() && ProvablyInBounds(frame_, store.buffer, store.indices)) {
    llvm::Value* old =
        NoAlias(builder_.CreateAlignedLoad(value->getType(), address.pointer, address.alignment), store.buffer);
    value = builder_.CreateSelect(mask_, value, old);
    NoAlias(builder_.CreateAlignedStore(value, address.pointer, address.alignment), store.buffer);
    return;
  }
  EmitStoreAt(store.buffer, address, value);
}

void BlockEmitter::EmitStoreAt(int buffer, const Address& address, llvm::Value* value) {
  if (frame_.lanes() == 0) {
    NoAlias(builder_.CreateAlignedStore(value, address.pointer, address.alignment), buffer);
    return;
  }
  if (address.IsVector()) {
    NoAlias(mask_ == nullptr ? static_cast<llvm::Instruction*>(
                                   builder_.CreateAlignedStore(value, address.pointer, address.alignment))
                             : builder_.CreateMaskedStore(value, address.pointer, address.alignment, mask_),
            buffer);
    return;
  }
  const ScalarType element = frame_.lowered().nest.buffers[buffer].type;
  const llvm::Align alignment(static_cast<uint64_t>(ElementBytes(element)));
  if (address.irregular.empty() && mask_ == nullptr) {
    for (int64_t i = 0; i < frame_.lanes(); ++i) {
      llvm::Value* pointer = builder_.CreateGEP(MemoryType(builder_.getContext(), element), address.pointer,
                                                builder_.getInt64(i * address.stride));
      llvm::Value* lane = builder_.CreateExtractElement(value, static_cast<uint64_t>(i));
      NoAlias(builder_.CreateAlignedStore(lane, pointer, alignment), buffer);
    }
    return;
  }
  NoAlias(builder_.CreateMaskedScatter(value, LanePointers(buffer, address), alignment,
                                       mask_ == nullptr ? AllLanes() : mask_),
          buffer);
}

llvm::Value* BlockEmitter::Splat(llvm::Value* value) {
  if (frame_.lanes() == 0 || IsVector(value)) return value;
  return builder_.CreateVectorSplat(static_cast<unsigned>(frame_.lanes()), value);
}

llvm::Value* BlockEmitter::LaneIndices() {
  std::vector<uint64_t> numbers;
  for (int64_t i = 0; i < frame_.lanes(); ++i) numbers.push_back(static_cast<uint64_t>(i));
  return llvm::ConstantDataVector::get(builder_.getContext(), numbers);
}

llvm::Value* BlockEmitter::LanePointers(int buffer, const Address& address) {
  const int64_t step = address.stride * ElementBytes(frame_.lowered().nest.buffers[buffer].type);
  llvm::Value* offsets = builder_.CreateMul(LaneIndices(), Splat(builder_.getInt64(step)));
  for (const Expr& summand : address.irregular) offsets = builder_.CreateAdd(offsets, EmitExpr(summand));
  return builder_.CreateGEP(builder_.getInt8Ty(), address.pointer, offsets);
}

llvm::Value* BlockEmitter::AllLanes() {
  return llvm::ConstantInt::getTrue(WithLanes(builder_.getInt1Ty(), frame_.lanes()));
}

llvm::Instruction* BlockEmitter::NoAlias(llvm::Instruction* access, int buffer) {
  access->setMetadata(llvm::LLVMContext::MD_alias_scope, scopes_.scope[buffer]);
  access->setMetadata(llvm::LLVMContext::MD_noalias, scopes_.noalias[buffer]);
  return access;
}

}  // namespace tunefleet::codegen
