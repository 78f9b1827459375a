#include "codegen/llvm/target_machine.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "codegen/operators/closest_name.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Triple.h"

namespace tunefleet::codegen {
namespace {

void InitializeBackends() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeAArch64TargetInfo();
    LLVMInitializeAArch64Target();
    LLVMInitializeAArch64TargetMC();
    LLVMInitializeAArch64AsmPrinter();
    LLVMInitializeARMTargetInfo();
    LLVMInitializeARMTarget();
    LLVMInitializeARMTargetMC();
    LLVMInitializeARMAsmPrinter();
    LLVMInitializeRISCVTargetInfo();
    LLVMInitializeRISCVTarget();
    LLVMInitializeRISCVTargetMC();
    LLVMInitializeRISCVAsmPrinter();
  });
}

// Extensions that a cpu's name may imply and a device may still lack (older stepping, hypervisor, microcode).
bool IsVectorExtension(const llvm::Triple& triple, absl::string_view feature) {
  std::vector<absl::string_view> prefixes;
  if (triple.isX86()) {
    prefixes = {"avx", "fma", "f16c", "amx", "xop", "gfni", "vaes", "vpclmulqdq"};
  } else if (triple.isAArch64()) {
    prefixes = {"sve", "sme", "dotprod", "fullfp16", "fp16fml", "i8mm", "bf16"};
  }
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](absl::string_view prefix) { return absl::StartsWith(feature, prefix); });
}

// Switches off first: switching off an extension takes those along that build on it.
std::string FeatureString(const llvm::MCSubtargetInfo& cpu, const llvm::Triple& triple, const v1::Target& target) {
  const std::set<std::string> present(target.features().begin(), target.features().end());
  std::vector<std::string> features;
  // What every 64-bit RISC-V Linux is built for. LLVM's generic processors have less, and shared objects for those do
  // not load there: floats would be passed otherwise.
  if (triple.isRISCV64()) features = {"+m", "+a", "+f", "+d", "+c"};
  if (present.empty()) return absl::StrJoin(features, ",");
  for (const llvm::SubtargetFeatureKV& known : cpu.getAllProcessorFeatures()) {
    if (IsVectorExtension(triple, known.Key) && present.count(known.Key) == 0) {
      features.push_back(absl::StrCat("-", known.Key));
    }
  }
  for (const llvm::SubtargetFeatureKV& known : cpu.getAllProcessorFeatures()) {
    if (present.count(known.Key) != 0) features.push_back(absl::StrCat("+", known.Key));
  }
  return absl::StrJoin(features, ",");
}

VectorRegisters RegistersOf(const llvm::Triple& triple, const llvm::MCSubtargetInfo& cpu) {
  if (!triple.isX86()) return {.count = 32, .bits = 128};
  if (cpu.checkFeatures("+avx512f")) return {.count = 32, .bits = 512};
  return {.count = 16, .bits = cpu.checkFeatures("+avx") ? 256 : 128};
}

}  // namespace

absl::StatusOr<KernelTarget> MakeKernelTarget(const v1::Target& target, bool aggressive) {
  InitializeBackends();
  const llvm::Triple triple(llvm::Triple::normalize(target.triple()));
  std::string error;
  const llvm::Target* backend = llvm::TargetRegistry::lookupTarget(triple.str(), error);
  if (backend == nullptr || !triple.isOSBinFormatELF()) {
    return absl::NotFoundError(absl::StrCat("target triple '", target.triple(),
                                            "' is unknown; expected one like x86_64-linux-gnu or aarch64-linux-gnu"));
  }
  KernelTarget kernel_target;
  kernel_target.cpu = target.cpu();
  if (kernel_target.cpu.empty()) kernel_target.cpu = triple.getArch() == llvm::Triple::x86_64 ? "x86-64" : "generic";

  // Asked of a generic subtarget: LLVM writes to stderr about a cpu that it does not know.
  const std::unique_ptr<llvm::MCSubtargetInfo> generic(backend->createMCSubtargetInfo(triple.str(), "", ""));
  if (!generic->isCPUStringValid(kernel_target.cpu)) {
    std::vector<std::string> known;
    for (const llvm::SubtargetSubTypeKV& cpu : generic->getAllProcessorDescriptions()) known.push_back(cpu.Key);
    const std::string closest = ClosestName(target.cpu(), known);
    return absl::NotFoundError(absl::StrCat(
        "cpu '", target.cpu(), "' is unknown for ", target.triple(),
        closest.empty() ? "; expected one of LLVM's names" : absl::StrCat("; did you mean '", closest, "'?")));
  }
  kernel_target.features = FeatureString(*generic, triple, target);

  kernel_target.machine.reset(backend->createTargetMachine(
      triple.str(), kernel_target.cpu, kernel_target.features, llvm::TargetOptions(), llvm::Reloc::PIC_, std::nullopt,
      aggressive ? llvm::CodeGenOptLevel::Aggressive : llvm::CodeGenOptLevel::Default));
  if (kernel_target.machine == nullptr) {
    return absl::NotFoundError(absl::StrCat("no machine for target triple '", target.triple(), "'"));
  }
  kernel_target.registers = RegistersOf(triple, *kernel_target.machine->getMCSubtargetInfo());
  // LLVM prefers 256 bits on some cpus that have 512; how wide vectors are is the schedule's business.
  if (triple.isX86() && kernel_target.registers.bits == 512) kernel_target.vector_bits = 512;
  return kernel_target;
}

}  // namespace tunefleet::codegen
