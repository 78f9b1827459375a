#include "codegen/explain/disassembly.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
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
namespace {

bool StartsWithAny(absl::string_view text, std::initializer_list<absl::string_view> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](absl::string_view prefix) { return absl::StartsWith(text, prefix); });
}

// LLVM's tables say what an instruction does to memory and control; what kind of arithmetic it is, its name alone.
InstructionKind KindOf(absl::string_view mnemonic, const llvm::MCInstrDesc& description) {
  if (StartsWithAny(mnemonic, {"prefetch", "prfm", "prfum"})) return InstructionKind::kPrefetch;
  if (description.isBranch() || description.isCall() || description.isReturn()) return InstructionKind::kBranch;
  if (StartsWithAny(mnemonic, {"vfmadd", "vfmsub", "vfnmadd", "vfnmsub", "vpdp", "vdpbf16", "fmla", "fmls", "fmadd",
                               "sdot", "udot", "bfdot", "mla", "smlal"})) {
    return InstructionKind::kMultiplyAdd;
  }
  if (StartsWithAny(mnemonic,
                    {"vadd",   "vsub",      "vmul",  "vdiv", "vmax",  "vmin", "vsqrt", "vpadd", "vpsub", "vpmul",
                     "vpmadd", "vpmax",     "vpmin", "vcmp", "vpcmp", "vand", "vor",   "vxor",  "vpand", "vpor",
                     "vpxor",  "vpternlog", "fadd",  "fsub", "fmul",  "fdiv", "fmax",  "fmin"})) {
    return InstructionKind::kArithmetic;
  }
  if (description.mayStore()) return InstructionKind::kStore;
  const bool vector = absl::StartsWith(mnemonic, "v");
  if (description.mayLoad() && (vector || StartsWithAny(mnemonic, {"mov", "ld"}))) return InstructionKind::kLoad;
  if (vector || StartsWithAny(mnemonic, {"dup", "zip", "uzp", "trn", "ext"})) return InstructionKind::kShuffle;
  return InstructionKind::kInteger;
}

// Everything that LLVM needs to read one architecture's instructions.
struct Reader {
  std::unique_ptr<llvm::MCRegisterInfo> registers;
  std::unique_ptr<llvm::MCAsmInfo> syntax;
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget;
  std::unique_ptr<llvm::MCInstrInfo> instructions;
  std::unique_ptr<llvm::MCInstrAnalysis> analysis;
  std::unique_ptr<llvm::MCContext> context;
  std::unique_ptr<llvm::MCDisassembler> disassembler;
  std::unique_ptr<llvm::MCInstPrinter> printer;
};

absl::StatusOr<Reader> MakeReader(const std::string& text) {
  llvm::InitializeAllTargetInfos();
  llvm::InitializeAllTargetMCs();
  llvm::InitializeAllDisassemblers();
  const llvm::Triple triple(llvm::Triple::normalize(text));
  std::string error;
  const llvm::Target* backend = llvm::TargetRegistry::lookupTarget(triple.str(), error);
  if (backend == nullptr) return absl::NotFoundError(absl::StrCat("cannot disassemble for '", text, "': ", error));
  const bool x86 = triple.isX86();
  Reader reader;
  reader.registers.reset(backend->createMCRegInfo(triple.str()));
  reader.syntax.reset(backend->createMCAsmInfo(*reader.registers, triple.str(), llvm::MCTargetOptions()));
  reader.subtarget.reset(backend->createMCSubtargetInfo(triple.str(), x86 ? "sapphirerapids" : "", x86 ? "" : "+all"));
  reader.instructions.reset(backend->createMCInstrInfo());
  reader.analysis.reset(backend->createMCInstrAnalysis(reader.instructions.get()));
  reader.context =
      std::make_unique<llvm::MCContext>(triple, reader.syntax.get(), reader.registers.get(), reader.subtarget.get());
  reader.disassembler.reset(backend->createMCDisassembler(*reader.subtarget, *reader.context));
  reader.printer.reset(backend->createMCInstPrinter(triple, reader.syntax->getAssemblerDialect(), *reader.syntax,
                                                    *reader.instructions, *reader.registers));
  return reader;
}

absl::Status ReadSection(const Reader& reader, llvm::ArrayRef<uint8_t> bytes, uint64_t begin,
                         std::vector<Instruction>* code) {
  for (uint64_t offset = 0; offset < bytes.size();) {
    llvm::MCInst instruction;
    uint64_t size = 0;
    const uint64_t address = begin + offset;
    if (reader.disassembler->getInstruction(instruction, size, bytes.slice(offset), address, llvm::nulls()) !=
        llvm::MCDisassembler::Success) {
      return absl::InvalidArgumentError(absl::StrCat("the bytes at address ", address, " are no known instruction"));
    }
    Instruction entry{.address = address};
    entry.bytes.assign(bytes.slice(offset, size).begin(), bytes.slice(offset, size).end());
    llvm::raw_string_ostream stream(entry.text);
    reader.printer->printInst(&instruction, address, "", *reader.subtarget, stream);
    const llvm::MCInstrDesc& description = reader.instructions->get(instruction.getOpcode());
    absl::string_view mnemonic = absl::StripAsciiWhitespace(entry.text);
    mnemonic = mnemonic.substr(0, mnemonic.find_first_of(" \t"));
    entry.kind = KindOf(mnemonic, description);
    // So that nothing moves a prefetch, LLVM's tables say that it may store.
    const bool prefetches = entry.kind == InstructionKind::kPrefetch;
    entry.reads_memory = prefetches || (description.mayLoad() && entry.kind != InstructionKind::kBranch);
    entry.writes_memory = !prefetches && description.mayStore() && entry.kind != InstructionKind::kBranch;
    entry.on_stack = (entry.reads_memory || entry.writes_memory) &&
                     (absl::StrContains(entry.text, "(%rsp") || absl::StrContains(entry.text, "[sp"));
    entry.falls_through = !description.isBarrier();
    uint64_t destination = 0;
    if (reader.analysis->isBranch(instruction) &&
        reader.analysis->evaluateBranch(instruction, address, size, destination)) {
      entry.branch_target = static_cast<int64_t>(destination);
    }
    code->push_back(std::move(entry));
    offset += size;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<Instruction>> Disassemble(absl::string_view code, const std::string& triple) {
  absl::StatusOr<Reader> reader = MakeReader(triple);
  if (!reader.ok()) return reader.status();
  auto object = llvm::object::ObjectFile::createObjectFile(
      llvm::MemoryBufferRef(llvm::StringRef(code.data(), code.size()), "kernel.so"));
  if (!object) {
    return absl::InvalidArgumentError(absl::StrCat("not an object file: ", llvm::toString(object.takeError())));
  }
  std::vector<Instruction> instructions;
  for (const llvm::object::SectionRef& section : (*object)->sections()) {
    if (!section.isText()) continue;
    llvm::Expected<llvm::StringRef> contents = section.getContents();
    if (!contents) return absl::InvalidArgumentError(llvm::toString(contents.takeError()));
    const llvm::ArrayRef<uint8_t> bytes(reinterpret_cast<const uint8_t*>(contents->data()), contents->size());
    if (absl::Status status = ReadSection(*reader, bytes, section.getAddress(), &instructions); !status.ok()) {
      return status;
    }
  }
  if (instructions.empty()) return absl::InvalidArgumentError("the object file has no code");
  return instructions;
}

}  // namespace tunefleet::codegen
