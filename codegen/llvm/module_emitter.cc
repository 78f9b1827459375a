#include "codegen/llvm/module_emitter.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "codegen/ir/tree.h"
#include "codegen/llvm/function_emitter.h"
#include "common/kernel_abi.h"
#include "llvm/IR/MDBuilder.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"

namespace tunefleet::codegen {
namespace {

// Where loads are folded, fences stand between multiply-adds that share vectors of other buffers.
std::vector<bool> BuffersToKeep(const LoopNest& nest, const Stmt& body) {
  std::vector<bool> kept(nest.buffers.size(), nest.FoldsLoads());
  for (size_t i = 0; i < kept.size(); ++i) kept[i] = kept[i] && !nest.buffers[i].fold_loads;
  for (const Block* block : BlocksIn(body)) {
    for (const Store& store : block->body) kept[store.buffer] = false;
  }
  return kept;
}

AliasScopes MakeAliasScopes(const LoweredNest& lowered, llvm::LLVMContext& context) {
  llvm::MDBuilder builder(context);
  llvm::MDNode* domain = builder.createAnonymousAliasScopeDomain("buffers");
  std::vector<llvm::Metadata*> all;
  for (const Buffer& buffer : lowered.nest.buffers) {
    all.push_back(builder.createAnonymousAliasScope(domain, buffer.name));
  }
  AliasScopes scopes;
  for (size_t i = 0; i < all.size(); ++i) {
    std::vector<llvm::Metadata*> others;
    for (size_t j = 0; j < all.size(); ++j) {
      if (j != i) others.push_back(all[j]);
    }
    scopes.scope.push_back(llvm::MDNode::get(context, {all[i]}));
    scopes.noalias.push_back(llvm::MDNode::get(context, others));
  }
  return scopes;
}

void SetAttributes(llvm::Function* function, const KernelTarget& target) {
  function->addFnAttr(llvm::Attribute::NoUnwind);
  function->addFnAttr("target-cpu", target.cpu);
  function->addFnAttr("target-features", target.features);
  function->addFnAttr("no-builtins");
  if (target.vector_bits != 0) {
    function->addFnAttr("prefer-vector-width", std::to_string(target.vector_bits));
    function->addFnAttr("min-legal-vector-width", std::to_string(target.vector_bits));
  }
}

// A loop's head and inside are one block once nothing is added to the head any more.
void MergeStraightLines(llvm::Function& function) {
  std::vector<llvm::BasicBlock*> blocks;
  for (llvm::BasicBlock& block : function) blocks.push_back(&block);
  for (llvm::BasicBlock* block : blocks) llvm::MergeBlockIntoPredecessor(block);
}

void EmitEntry(const Stmt& body, const char* symbol, const LoweredNest& lowered, const KernelTarget& target,
               AliasScopes scopes, llvm::Module& module) {
  scopes.kept = BuffersToKeep(lowered.nest, body);
  llvm::LLVMContext& context = module.getContext();
  llvm::IRBuilder<> builder(context);
  llvm::FastMathFlags flags;
  flags.setAllowContract();
  builder.setFastMathFlags(flags);

  llvm::Type* word = builder.getPtrTy();
  llvm::FunctionType* type = llvm::FunctionType::get(builder.getInt32Ty(), {word, word, word}, false);
  llvm::Function* function = llvm::Function::Create(type, llvm::Function::ExternalLinkage, symbol, module);
  SetAttributes(function, target);
  int tasks = 0;
  const FunctionEmitter::MakeFunction make_task = [&](llvm::FunctionType* task_type) {
    llvm::Function* task = llvm::Function::Create(task_type, llvm::Function::InternalLinkage,
                                                  absl::StrCat(symbol, ".task", tasks++), module);
    SetAttributes(task, target);
    return task;
  };

  Frame frame(lowered, function, &builder);
  frame.SetArguments(
      {.buffers = function->getArg(0), .workspace = function->getArg(1), .runtime = function->getArg(2)});
  FunctionEmitter emitter(&frame, &scopes, target.registers, &make_task);
  emitter.Emit(body);
  builder.CreateRet(builder.getInt32(0));
}

}  // namespace

absl::StatusOr<std::unique_ptr<llvm::Module>> EmitModule(const LoweredNest& lowered, const KernelTarget& target,
                                                         llvm::LLVMContext& context) {
  auto module = std::make_unique<llvm::Module>("kernel", context);
  module->setTargetTriple(target.machine->getTargetTriple().str());
  module->setDataLayout(target.machine->createDataLayout());
  module->setPICLevel(llvm::PICLevel::BigPIC);
  const AliasScopes scopes = MakeAliasScopes(lowered, context);
  if (lowered.nest.prepare != nullptr) {
    EmitEntry(lowered.nest.prepare, TF_PREPARE_SYMBOL, lowered, target, scopes, *module);
  }
  EmitEntry(lowered.nest.run, TF_RUN_SYMBOL, lowered, target, scopes, *module);
  for (llvm::Function& function : *module) {
    if (!function.isDeclaration()) MergeStraightLines(function);
  }
  std::string complaint;
  llvm::raw_string_ostream stream(complaint);
  if (llvm::verifyModule(*module, &stream)) {
    return absl::InternalError(
        absl::StrCat("the IR emitted for nest '", lowered.nest.name, "' is malformed: ", complaint));
  }
  return module;
}

}  // namespace tunefleet::codegen
