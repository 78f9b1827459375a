#include "codegen/llvm/frame.h"

#include <algorithm>

#include "codegen/ir/element_size.h"
#include "codegen/llvm/arithmetic.h"
#include "codegen/llvm/element_type.h"
#include "common/check.h"

namespace tunefleet::codegen {
namespace {

constexpr uint64_t kBufferAlignment = 64;

}  // namespace

Frame::Frame(const LoweredNest& lowered, llvm::Function* function, llvm::IRBuilder<>* builder)
    : lowered_(lowered), function_(function), builder_(builder) {
  llvm::LLVMContext& context = function->getContext();
  llvm::BasicBlock* entry = llvm::BasicBlock::Create(context, "entry", function);
  llvm::BasicBlock* body = llvm::BasicBlock::Create(context, "body", function);
  builder_->SetInsertPoint(entry);
  builder_->CreateBr(body);
  builder_->SetInsertPoint(body);
  scopes_.push_back({.head = entry});
}

void Frame::Enter(llvm::BasicBlock* head, const Var& var, llvm::Value* value, Interval range) {
  scopes_.push_back({.head = head});
  depths_[var] = static_cast<int>(scopes_.size()) - 1;
  values_[var] = value;
  ranges_[var] = range;
  variables_.emplace_back(var, value);
}

void Frame::Leave() {
  const Var var = variables_.back().first;
  variables_.pop_back();
  depths_.erase(var);
  values_.erase(var);
  ranges_.erase(var);
  scopes_.pop_back();
}

void Frame::DefineOuter(const Var& var, llvm::Value* value, Interval range) {
  TF_CHECK(scopes_.size() == 1, "an outer variable is defined before any loop");
  depths_[var] = 0;
  values_[var] = value;
  ranges_[var] = range;
  variables_.emplace_back(var, value);
}

void Frame::EnterLanes(const Var& var, int64_t lanes) {
  lane_var_ = var;
  lanes_ = lanes;
  ranges_[var] = {0, lanes - 1};
}

void Frame::LeaveLanes() {
  ranges_.erase(lane_var_);
  lane_var_ = nullptr;
  lanes_ = 0;
}

bool Frame::IsPure(const Expr& expr) const {
  bool pure = true;
  Visit(expr, [&](const Expr& e) {
    if (e->kind == ExprKind::kLoad || (e->kind == ExprKind::kVar && e->var == lane_var_)) pure = false;
    if (e->kind == ExprKind::kBinary && !IsFloat(e->type) &&
        (e->op == BinaryOp::kDiv || e->op == BinaryOp::kFloorDiv || e->op == BinaryOp::kFloorMod) &&
        ConstantInt(e->operands[1]).value_or(0) == 0) {
      pure = false;
    }
  });
  return pure;
}

int Frame::DepthOf(const Expr& expr) const {
  int depth = 0;
  Visit(expr, [&](const Expr& e) {
    if (e->kind != ExprKind::kVar) return;
    const auto it = depths_.find(e->var);
    TF_CHECK(it != depths_.end(), "loop variable used outside its loop");
    depth = std::max(depth, it->second);
  });
  return depth;
}

int Frame::DepthOf(llvm::Value* pointer) const {
  const auto it = pointer_depths_.find(pointer);
  return it == pointer_depths_.end() ? 0 : it->second;
}

llvm::Value* Frame::PureValue(const Expr& expr) {
  llvm::LLVMContext& context = function_->getContext();
  if (expr->kind == ExprKind::kInt) {
    return llvm::ConstantInt::getSigned(RegisterType(context, expr->type), expr->int_value);
  }
  if (expr->kind == ExprKind::kFloat)
    return llvm::ConstantFP::get(RegisterType(context, expr->type), expr->float_value);
  if (expr->kind == ExprKind::kVar) {
    const auto it = values_.find(expr->var);
    TF_CHECK(it != values_.end(), "loop variable used outside its loop");
    return it->second;
  }
  const int depth = DepthOf(expr);
  for (const auto& [known, value] : scopes_[depth].values) {
    if (StructurallyEqual(known, expr)) return value;
  }
  llvm::IRBuilderBase::InsertPointGuard guard(*builder_);
  builder_->SetInsertPoint(scopes_[depth].head->getTerminator());
  llvm::Value* value = EmitPure(expr);
  scopes_[depth].values.emplace_back(expr, value);
  return value;
}

llvm::Value* Frame::EmitPure(const Expr& expr) {
  switch (expr->kind) {
    case ExprKind::kBinary: {
      const std::optional<Interval> a = BoundsOf(expr->operands[0], ranges_);
      const std::optional<Interval> b = BoundsOf(expr->operands[1], ranges_);
      const bool non_negative = a.has_value() && b.has_value() && a->min >= 0 && b->min >= 0;
      llvm::Value* left = PureValue(expr->operands[0]);
      llvm::Value* right = PureValue(expr->operands[1]);
      return EmitBinary(*builder_, expr->op, expr->operands[0]->type, left, right, non_negative);
    }
    case ExprKind::kSelect: {
      llvm::Value* condition = PureValue(expr->operands[0]);
      llvm::Value* then_value = PureValue(expr->operands[1]);
      return builder_->CreateSelect(condition, then_value, PureValue(expr->operands[2]));
    }
    case ExprKind::kCast:
      return EmitCast(*builder_, expr->operands[0]->type, expr->type, PureValue(expr->operands[0]));
    default:
      TF_CHECK(false, "not a pure expression");
      return nullptr;
  }
}

llvm::Value* Frame::Offset(llvm::Value* base, const Expr& index, int64_t scale_bytes) {
  llvm::Value* value = PureValue(index);
  const int depth = std::max(DepthOf(index), DepthOf(base));
  llvm::Value*& pointer = scopes_[depth].offsets[{base, value, scale_bytes}];
  if (pointer != nullptr) return pointer;
  llvm::IRBuilderBase::InsertPointGuard guard(*builder_);
  builder_->SetInsertPoint(scopes_[depth].head->getTerminator());
  llvm::Value* bytes = builder_->CreateMul(value, builder_->getInt64(scale_bytes), "", false, true);
  pointer = builder_->CreateGEP(builder_->getInt8Ty(), base, bytes);
  pointer_depths_[pointer] = depth;
  return pointer;
}

llvm::Value* Frame::BasePointer(int index) {
  llvm::Value*& base = bases_[index];
  if (base != nullptr) return base;
  const Buffer& buffer = lowered_.nest.buffers[index];
  llvm::LLVMContext& context = function_->getContext();
  llvm::IRBuilderBase::InsertPointGuard guard(*builder_);
  builder_->SetInsertPoint(scopes_[0].head->getTerminator());
  if (buffer.role == Role::kLiteral) {
    base = EmitLiteral(buffer);
  } else if (buffer.IsArgument()) {
    int position = 0;
    for (int i = 0; i < index; ++i) position += lowered_.nest.buffers[i].IsArgument();
    llvm::Value* slot = builder_->CreateConstInBoundsGEP1_64(builder_->getPtrTy(), arguments_.buffers, position);
    llvm::LoadInst* load = builder_->CreateLoad(builder_->getPtrTy(), slot, buffer.name);
    llvm::Metadata* alignment = llvm::ConstantAsMetadata::get(builder_->getInt64(kBufferAlignment));
    load->setMetadata(llvm::LLVMContext::MD_align, llvm::MDNode::get(context, {alignment}));
    load->setMetadata(llvm::LLVMContext::MD_nonnull, llvm::MDNode::get(context, {}));
    load->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(context, {}));
    base = load;
  } else if (lowered_.workspace_offsets[index] >= 0) {
    llvm::Value* offset = builder_->getInt64(lowered_.workspace_offsets[index]);
    if (lowered_.workspace_task_stride[index] != 0) {
      TF_CHECK(arguments_.task != nullptr, "per-task workspace used outside its parallel loop");
      llvm::Value* stride = builder_->getInt64(lowered_.workspace_task_stride[index]);
      offset = builder_->CreateAdd(offset, builder_->CreateMul(arguments_.task, stride));
    }
    base = builder_->CreateGEP(builder_->getInt8Ty(), arguments_.workspace, offset, buffer.name);
  } else {
    llvm::Type* type =
        llvm::ArrayType::get(MemoryType(context, buffer.type), static_cast<uint64_t>(StoredElements(buffer)));
    builder_->SetInsertPoint(scopes_[0].head, scopes_[0].head->getFirstInsertionPt());
    llvm::AllocaInst* local = builder_->CreateAlloca(type, nullptr, buffer.name);
    local->setAlignment(llvm::Align(kBufferAlignment));
    base = local;
  }
  return base;
}

llvm::Value* Frame::EmitLiteral(const Buffer& buffer) {
  llvm::Type* element = MemoryType(function_->getContext(), buffer.type);
  std::vector<llvm::Constant*> values;
  for (const double value : buffer.literal) {
    values.push_back(IsFloat(buffer.type) ? llvm::ConstantFP::get(element, value)
                                          : llvm::ConstantInt::getSigned(element, static_cast<int64_t>(value)));
  }
  llvm::ArrayType* type = llvm::ArrayType::get(element, values.size());
  auto* table =
      new llvm::GlobalVariable(*function_->getParent(), type, /*isConstant=*/true,  // the module owns it
                               llvm::GlobalValue::PrivateLinkage, llvm::ConstantArray::get(type, values), buffer.name);
  table->setAlignment(llvm::Align(kBufferAlignment));
  return table;
}

llvm::Value* Frame::DummyPointer() {
  if (dummy_ != nullptr) return dummy_;
  llvm::IRBuilderBase::InsertPointGuard guard(*builder_);
  builder_->SetInsertPoint(scopes_[0].head, scopes_[0].head->getFirstInsertionPt());
  llvm::AllocaInst* dummy = builder_->CreateAlloca(builder_->getInt64Ty(), nullptr, "dummy");
  dummy->setAlignment(llvm::Align(kBufferAlignment));
  builder_->SetInsertPoint(scopes_[0].head->getTerminator());
  builder_->CreateStore(builder_->getInt64(0), dummy);
  dummy_ = dummy;
  return dummy_;
}

}  // namespace tunefleet::codegen
