#include "codegen/llvm/function_emitter.h"

#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include "codegen/llvm/tensor_emitter.h"
#include "common/check.h"
#include "common/kernel_abi.h"

namespace tunefleet::codegen {
namespace {

// Unrolling and vectors are the schedule's business.
llvm::MDNode* KeepLoopAsItIs(llvm::LLVMContext& context) {
  const auto flag = [&](const char* name, llvm::Metadata* value) {
    std::vector<llvm::Metadata*> operands = {llvm::MDString::get(context, name)};
    if (value != nullptr) operands.push_back(value);
    return llvm::MDNode::get(context, operands);
  };
  llvm::Metadata* no = llvm::ConstantAsMetadata::get(llvm::ConstantInt::getFalse(context));
  llvm::MDNode* node = llvm::MDNode::getDistinct(
      context, {nullptr, flag("llvm.loop.unroll.disable", nullptr), flag("llvm.loop.vectorize.enable", no)});
  node->replaceOperandWith(0, node);
  return node;
}

Interval RangeOf(const Loop& loop, const VarRanges& ranges) {
  const std::optional<Interval> begin = BoundsOf(loop.begin, ranges);
  const std::optional<Interval> extent = BoundsOf(loop.extent, ranges);
  TF_CHECK(begin.has_value() && extent.has_value(), "loop bounds have bounds");
  return {begin->min, std::max(begin->min, begin->max + extent->max - 1)};
}

}  // namespace

FunctionEmitter::FunctionEmitter(Frame* frame, const AliasScopes* scopes, VectorRegisters registers,
                                 const MakeFunction* make_function)
    : frame_(*frame),
      builder_(frame->builder()),
      scopes_(*scopes),
      registers_(registers),
      make_function_(*make_function),
      blocks_(frame, scopes),
      tile_(registers) {}

void FunctionEmitter::Emit(const Stmt& stmt) {
  if (const Loop* loop = As<Loop>(stmt)) {
    if (loop->kind == LoopKind::kVectorized) return EmitVectorized(*loop);
    if (loop->kind == LoopKind::kTensorized) return TensorEmitter(&frame_, &scopes_).Emit(stmt);
    if (loop->kind == LoopKind::kParallel && frame_.arguments().task == nullptr) return EmitParallel(*loop);
    return EmitSerial(*loop);
  }
  if (const Seq* seq = As<Seq>(stmt)) {
    for (const Stmt& child : seq->stmts) Emit(child);
    return;
  }
  if (const If* branch = As<If>(stmt)) return EmitIf(*branch);
  if (const Block* block = As<Block>(stmt)) EmitBlock(*block);
}

void FunctionEmitter::EmitSerial(const Loop& loop) {
  const Interval range = RangeOf(loop, frame_.ranges());
  const std::optional<Interval> extent = BoundsOf(loop.extent, frame_.ranges());
  EmitCountedLoop(blocks_.EmitUniform(loop.begin), blocks_.EmitUniform(loop.extent), extent->min > 0,
                  [&](llvm::BasicBlock* head, llvm::Value* i) {
                    frame_.Enter(head, loop.var, i, range);
                    tile_.Begin(frame_.lowered().nest, loop.body);
                    blocks_.BeginLine();
                    Emit(loop.body);
                    blocks_.BeginLine();
                    frame_.Leave();
                  });
}

void FunctionEmitter::EmitCountedLoop(llvm::Value* begin, llvm::Value* extent, bool at_least_once,
                                      const std::function<void(llvm::BasicBlock* head, llvm::Value* i)>& body) {
  llvm::LLVMContext& context = builder_.getContext();
  llvm::Function* function = frame_.function();
  llvm::BasicBlock* preheader = llvm::BasicBlock::Create(context, "preheader", function);
  llvm::BasicBlock* head = llvm::BasicBlock::Create(context, "head", function);
  llvm::BasicBlock* inside = llvm::BasicBlock::Create(context, "inside", function);
  llvm::BasicBlock* done = llvm::BasicBlock::Create(context, "done", function);
  llvm::Value* end = builder_.CreateAdd(begin, extent, "end", false, true);
  if (at_least_once) {
    builder_.CreateBr(preheader);
  } else {
    builder_.CreateCondBr(builder_.CreateICmpSGT(extent, builder_.getInt64(0)), preheader, done);
  }
  builder_.SetInsertPoint(preheader);
  builder_.CreateBr(head);

  builder_.SetInsertPoint(head);
  llvm::PHINode* i = builder_.CreatePHI(builder_.getInt64Ty(), 2, "i");
  i->addIncoming(begin, preheader);
  builder_.CreateBr(inside);
  builder_.SetInsertPoint(inside);
  body(head, i);

  llvm::Value* next = builder_.CreateAdd(i, builder_.getInt64(1), "next", false, true);
  i->addIncoming(next, builder_.GetInsertBlock());
  llvm::BranchInst* latch = builder_.CreateCondBr(builder_.CreateICmpSLT(next, end), head, done);
  latch->setMetadata(llvm::LLVMContext::MD_loop, KeepLoopAsItIs(context));
  builder_.SetInsertPoint(done);
}

void FunctionEmitter::EmitVectorized(const Loop& loop) {
  const int64_t lanes = ConstantInt(loop.extent).value_or(0);
  TF_CHECK(lanes > 0 && ConstantInt(loop.begin) == 0, "lowered vectorized loops run from 0 to a constant");
  frame_.EnterLanes(loop.var, lanes);
  Emit(loop.body);
  frame_.LeaveLanes();
}

void FunctionEmitter::EmitIf(const If& branch) {
  llvm::LLVMContext& context = builder_.getContext();
  llvm::BasicBlock* then_block = llvm::BasicBlock::Create(context, "if", frame_.function());
  llvm::BasicBlock* done = llvm::BasicBlock::Create(context, "endif", frame_.function());
  builder_.CreateCondBr(blocks_.EmitUniform(branch.condition), then_block, done);
  builder_.SetInsertPoint(then_block);
  Emit(branch.then_stmt);
  builder_.CreateBr(done);
  builder_.SetInsertPoint(done);
}

void FunctionEmitter::EmitBlock(const Block& block) {
  if (tile_.FenceBefore(block)) {
    builder_.CreateFence(llvm::AtomicOrdering::AcquireRelease, llvm::SyncScope::SingleThread);
  }
  blocks_.Emit(block);
}

void FunctionEmitter::EmitParallel(const Loop& loop) {
  llvm::LLVMContext& context = builder_.getContext();
  llvm::Function* function = frame_.function();
  const Interval range = RangeOf(loop, frame_.ranges());
  llvm::Value* begin = blocks_.EmitUniform(loop.begin);
  llvm::Value* count = blocks_.EmitUniform(loop.extent);

  std::vector<llvm::Type*> types = {builder_.getPtrTy(), builder_.getPtrTy(), builder_.getInt64Ty()};
  types.resize(types.size() + frame_.variables().size(), builder_.getInt64Ty());
  llvm::StructType* closure_type = llvm::StructType::get(context, types);
  llvm::Function* task = EmitTask(loop, closure_type, range);

  llvm::IRBuilder<> entry(&function->getEntryBlock(), function->getEntryBlock().getFirstInsertionPt());
  llvm::Value* closure = entry.CreateAlloca(closure_type, nullptr, "closure");
  std::vector<llvm::Value*> fields = {frame_.arguments().buffers, frame_.arguments().workspace, begin};
  for (const auto& [var, value] : frame_.variables()) fields.push_back(value);
  for (size_t i = 0; i < fields.size(); ++i) {
    builder_.CreateStore(fields[i], builder_.CreateStructGEP(closure_type, closure, static_cast<unsigned>(i)));
  }

  llvm::BasicBlock* threaded = llvm::BasicBlock::Create(context, "threaded", function);
  llvm::BasicBlock* serial = llvm::BasicBlock::Create(context, "serial", function);
  llvm::BasicBlock* done = llvm::BasicBlock::Create(context, "joined", function);
  llvm::Value* runtime = frame_.arguments().runtime;
  llvm::Value* alone =
      builder_.CreateOr(builder_.CreateIsNull(runtime), builder_.CreateICmpSLE(count, builder_.getInt64(1)));
  builder_.CreateCondBr(alone, serial, threaded);

  builder_.SetInsertPoint(threaded);
  llvm::Type* word = builder_.getPtrTy();
  llvm::FunctionType* parallel_for =
      llvm::FunctionType::get(builder_.getVoidTy(), {word, builder_.getInt64Ty(), word, word}, false);
  static_assert(offsetof(tf_runtime, context) == 8, "two 32-bit fields, then pointers");
  const unsigned pointer_bytes = function->getParent()->getDataLayout().getPointerSize();
  llvm::Value* slot = builder_.CreateConstInBoundsGEP1_64(builder_.getInt8Ty(), runtime, 8 + pointer_bytes);
  builder_.CreateCall(parallel_for, builder_.CreateLoad(word, slot), {runtime, count, task, closure});
  builder_.CreateBr(done);

  builder_.SetInsertPoint(serial);
  EmitCountedLoop(builder_.getInt64(0), count, false, [&](llvm::BasicBlock*, llvm::Value* i) {
    builder_.CreateCall(task, {closure, i});
  });
  builder_.CreateBr(done);
  builder_.SetInsertPoint(done);
}

llvm::Function* FunctionEmitter::EmitTask(const Loop& loop, llvm::StructType* closure_type, Interval range) {
  llvm::FunctionType* type =
      llvm::FunctionType::get(builder_.getVoidTy(), {builder_.getPtrTy(), builder_.getInt64Ty()}, false);
  llvm::Function* function = make_function_(type);
  llvm::IRBuilder<> builder(builder_.getContext());
  builder.setFastMathFlags(builder_.getFastMathFlags());
  Frame frame(frame_.lowered(), function, &builder);

  llvm::BasicBlock* body = builder.GetInsertBlock();
  builder.SetInsertPoint(function->getEntryBlock().getTerminator());
  std::vector<llvm::Value*> fields;
  for (unsigned i = 0; i < closure_type->getNumElements(); ++i) {
    llvm::Value* slot = builder.CreateStructGEP(closure_type, function->getArg(0), i);
    fields.push_back(builder.CreateLoad(closure_type->getElementType(i), slot));
  }
  llvm::Value* task = function->getArg(1);
  frame.SetArguments({.buffers = fields[0], .workspace = fields[1], .task = task});
  size_t next = 3;
  for (const auto& [var, value] : frame_.variables()) {
    frame.DefineOuter(var, fields[next++], frame_.ranges().at(var));
  }
  frame.DefineOuter(loop.var, builder.CreateAdd(fields[2], task, loop.var->name, false, true), range);
  builder.SetInsertPoint(body);

  FunctionEmitter emitter(&frame, &scopes_, registers_, &make_function_);
  emitter.tile_.Begin(frame.lowered().nest, loop.body);
  emitter.Emit(loop.body);
  builder.CreateRetVoid();
  return function;
}

}  // namespace tunefleet::codegen
