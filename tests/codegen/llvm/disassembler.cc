#include "tests/codegen/llvm/disassembler.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "common/check.h"
#include "llvm/MC/MCAsmInfo.h"
#include "llvm/MC/MCContext.h"
#include "llvm/MC/MCDisassembler/MCDisassembler.h"
#include "llvm/MC/MCInst.h"
#include "llvm/MC/MCInstPrinter.h"
#include "llvm/MC/MCInstrAnalysis.h"
#include "llvm/MC/MCInstrInfo.h"
#include "llvm/MC/MCRegisterInfo.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/MCTargetOptions.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Triple.h"

namespace tunefleet::codegen {

std::vector<Instruction> Disassemble(const Artifact& artifact, const v1::Target& target) {
  llvm::InitializeAllTargetInfos();
  llvm::InitializeAllTargetMCs();
  llvm::InitializeAllDisassemblers();
  const llvm::Triple triple(llvm::Triple::normalize(target.triple()));
  std::string error;
  const llvm::Target* backend = llvm::TargetRegistry::lookupTarget(triple.str(), error);
  TF_CHECK(backend != nullptr, error);
  const std::unique_ptr<llvm::MCRegisterInfo> registers(backend->createMCRegInfo(triple.str()));
  const std::unique_ptr<llvm::MCAsmInfo> syntax(
      backend->createMCAsmInfo(*registers, triple.str(), llvm::MCTargetOptions()));
  // Whatever the target: a disassembler that knows every extension is what can find a forbidden one.
  const std::string everything = triple.isX86() ? "sapphirerapids" : "";
  const std::unique_ptr<llvm::MCSubtargetInfo> subtarget(
      backend->createMCSubtargetInfo(triple.str(), everything, triple.isX86() ? "" : "+all"));
  const std::unique_ptr<llvm::MCInstrInfo> instructions(backend->createMCInstrInfo());
  const std::unique_ptr<llvm::MCInstrAnalysis> analysis(backend->createMCInstrAnalysis(instructions.get()));
  llvm::MCContext context(triple, syntax.get(), registers.get(), subtarget.get());
  const std::unique_ptr<llvm::MCDisassembler> disassembler(backend->createMCDisassembler(*subtarget, context));
  const std::unique_ptr<llvm::MCInstPrinter> printer(
      backend->createMCInstPrinter(triple, syntax->getAssemblerDialect(), *syntax, *instructions, *registers));

  std::vector<Instruction> code;
  auto object = llvm::object::ObjectFile::createObjectFile(llvm::MemoryBufferRef(artifact.code, "kernel.so"));
  TF_CHECK(static_cast<bool>(object), "an object file");
  for (const llvm::object::SectionRef& section : (*object)->sections()) {
    if (!section.isText()) continue;
    const llvm::StringRef contents = llvm::cantFail(section.getContents());
    const llvm::ArrayRef<uint8_t> bytes(reinterpret_cast<const uint8_t*>(contents.data()), contents.size());
    for (uint64_t offset = 0; offset < bytes.size();) {
      llvm::MCInst instruction;
      uint64_t size = 0;
      const uint64_t address = section.getAddress() + offset;
      const auto status = disassembler->getInstruction(instruction, size, bytes.slice(offset), address, llvm::nulls());
      TF_CHECK(status == llvm::MCDisassembler::Success, "a known instruction");
      Instruction entry{.address = address};
      llvm::raw_string_ostream stream(entry.text);
      printer->printInst(&instruction, address, "", *subtarget, stream);
      uint64_t destination = 0;
      if (analysis->isBranch(instruction) && analysis->evaluateBranch(instruction, address, size, destination)) {
        entry.branch_target = static_cast<int64_t>(destination);
      }
      code.push_back(std::move(entry));
      offset += size;
    }
  }
  TF_CHECK(!code.empty(), "a kernel has code");
  return code;
}

std::vector<std::vector<Instruction>> InnermostLoops(const std::vector<Instruction>& code) {
  std::vector<std::pair<int64_t, int64_t>> spans;  // addresses of the target and the branch
  for (const Instruction& instruction : code) {
    const int64_t address = static_cast<int64_t>(instruction.address);
    if (instruction.branch_target >= 0 && instruction.branch_target <= address) {
      spans.emplace_back(instruction.branch_target, address);
    }
  }
  std::vector<std::vector<Instruction>> loops;
  for (const auto& [first, last] : spans) {
    const bool innermost = std::none_of(spans.begin(), spans.end(), [&, first = first, last = last](const auto& other) {
      return other != std::pair(first, last) && other.first >= first && other.second <= last;
    });
    if (!innermost) continue;
    std::vector<Instruction>& loop = loops.emplace_back();
    for (const Instruction& instruction : code) {
      const int64_t address = static_cast<int64_t>(instruction.address);
      if (address >= first && address <= last) loop.push_back(instruction);
    }
  }
  return loops;
}

}  // namespace tunefleet::codegen
