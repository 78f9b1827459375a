// What an artifact is made of: symbols, instructions, manifest.
#include <algorithm>
#include <cstdio>
#include <set>
#include <string>

#include "codegen/explain/natural_loops.h"
#include "codegen/llvm/llvm_code_generator.h"
#include "common/digest.h"
#include "common/kernel_abi.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/ELFObjectFile.h"
#include "tests/codegen/ir/sample_nests.h"
#include "tests/codegen/llvm/disassembler.h"
#include "tests/codegen/llvm/loaded_kernel.h"
#include "tests/codegen/lowering/conv_nest.h"

namespace tunefleet::codegen {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ResultOf;
using ::testing::UnorderedElementsAre;

v1::Target MakeTarget(const std::string& triple, const std::string& cpu,
                      const std::vector<std::string>& features = {}) {
  v1::Target target;
  target.set_triple(triple);
  target.set_cpu(cpu);
  for (const std::string& feature : features) target.add_features(feature);
  return target;
}

Artifact Compile(const LoopNest& nest, const v1::Target& target, PassPipeline pipeline = PassPipeline::kLight) {
  absl::StatusOr<Artifact> artifact = LlvmCodeGenerator(pipeline).Generate(nest, target);
  EXPECT_TRUE(artifact.ok()) << artifact.status();
  return std::move(artifact).value();
}

std::unique_ptr<llvm::object::ObjectFile> Open(const Artifact& artifact) {
  return llvm::cantFail(llvm::object::ObjectFile::createObjectFile(llvm::MemoryBufferRef(artifact.code, "kernel.so")));
}

struct Symbols {
  std::set<std::string> defined;
  std::set<std::string> undefined;
};

Symbols DynamicSymbols(const Artifact& artifact) {
  Symbols symbols;
  const auto object = Open(artifact);
  const auto* elf = llvm::cast<llvm::object::ELFObjectFileBase>(object.get());
  for (const llvm::object::ELFSymbolRef& symbol : elf->getDynamicSymbolIterators()) {
    const std::string name = llvm::cantFail(symbol.getName()).str();
    const bool undefined = (llvm::cantFail(symbol.getFlags()) & llvm::object::SymbolRef::SF_Undefined) != 0;
    (undefined ? symbols.undefined : symbols.defined).insert(name);
  }
  return symbols;
}

bool Uses(const std::vector<Instruction>& code, const std::string& text) {
  return std::any_of(code.begin(), code.end(),
                     [&](const Instruction& i) { return i.text.find(text) != std::string::npos; });
}

TEST(ArtifactTest, ExportsTheEntryPointsAndNothingElse) {
  const Artifact packed = Compile(PaddedConvolution(), MakeTarget("x86_64-linux-gnu", "znver5"));
  EXPECT_THAT(DynamicSymbols(packed).defined, UnorderedElementsAre(TF_RUN_SYMBOL, TF_PREPARE_SYMBOL));
  const Artifact plain = Compile(ConvNest({}, {}), MakeTarget("x86_64-linux-gnu", "znver5"));
  EXPECT_THAT(DynamicSymbols(plain).defined, UnorderedElementsAre(TF_RUN_SYMBOL));
  EXPECT_FALSE(plain.manifest.has_prepare());
}

TEST(ArtifactTest, NeedsNoLibraryAndNoSymbolButMemoryCopies) {
  const std::set<std::string> allowed = {"memcpy", "memmove", "memset"};
  for (const char* triple : {"x86_64-linux-gnu", "aarch64-linux-gnu"}) {
    for (const PassPipeline pipeline : {PassPipeline::kLight, PassPipeline::kO3}) {
      for (const LoopNest& nest : {PaddedConvolution(), ConvNest({}, {.outer = LoopKind::kParallel}),
                                   ConvNest({}, {.tile_co = 1, .tile_w = 4})}) {
        const Artifact artifact = Compile(nest, MakeTarget(triple, ""), pipeline);
        for (const std::string& name : DynamicSymbols(artifact).undefined) EXPECT_TRUE(allowed.count(name)) << name;
        const auto object = Open(artifact);
        const auto* elf = llvm::cast<llvm::object::ELF64LEObjectFile>(object.get());
        for (const auto& entry : llvm::cantFail(elf->getELFFile().dynamicEntries())) {
          EXPECT_NE(entry.getTag(), llvm::ELF::DT_NEEDED);
        }
        for (const auto& header : llvm::cantFail(elf->getELFFile().program_headers())) {
          EXPECT_NE(header.p_type, llvm::ELF::PT_TLS);
        }
      }
    }
  }
}

TEST(ArtifactTest, EqualArgumentsGiveEqualBytes) {
  const v1::Target target = MakeTarget("x86_64-linux-gnu", "znver5");
  for (const PassPipeline pipeline : {PassPipeline::kLight, PassPipeline::kO3}) {
    const Artifact first = Compile(ConvNest({}, {.outer = LoopKind::kParallel}), target, pipeline);
    const Artifact second = Compile(ConvNest({}, {.outer = LoopKind::kParallel}), target, pipeline);
    EXPECT_TRUE(first.code == second.code);
    EXPECT_EQ(first.manifest.SerializeAsString(), second.manifest.SerializeAsString());
  }
}

TEST(ArtifactTest, ManifestDescribesBuffersAndCode) {
  const Artifact artifact = Compile(PaddedConvolution(), MakeTarget("x86_64-linux-gnu", "znver5"));
  const v1::ArtifactManifest& manifest = artifact.manifest;
  std::vector<std::string> names;
  for (const v1::BufferSpec& spec : manifest.buffers()) {
    names.push_back(spec.name());
    EXPECT_EQ(spec.alignment(), 64u);
  }
  EXPECT_THAT(names, ElementsAre("data", "weight", "packed", "out"));
  EXPECT_EQ(manifest.buffers(0).role(), v1::BUFFER_ROLE_INPUT);
  EXPECT_EQ(manifest.buffers(0).size_bytes(), 9u * 4);
  EXPECT_EQ(manifest.buffers(2).role(), v1::BUFFER_ROLE_PREPARED);
  EXPECT_TRUE(manifest.has_prepare());
  EXPECT_EQ(manifest.code_digest(), common::Sha256(artifact.code));
  EXPECT_EQ(manifest.code_size_bytes(), artifact.code.size());
  EXPECT_EQ(manifest.abi_version(), static_cast<uint32_t>(TF_ABI_VERSION));
  EXPECT_EQ(manifest.pass_pipeline(), "light");
  EXPECT_THAT(manifest.codegen(), HasSubstr("llvm-19.1"));
}

TEST(ArtifactTest, CrossCompilesForAArch64) {
  const v1::Target target = MakeTarget("aarch64-linux-gnu", "cortex-a53");
  const Artifact artifact = Compile(ConvNest({}, {.tile_co = 2, .tile_w = 4}), target);
  EXPECT_EQ(Open(artifact)->getArch(), llvm::Triple::aarch64);
  const std::vector<Instruction> code = Disassemble(artifact, target);
  EXPECT_TRUE(Uses(code, "fmla"));
  EXPECT_FALSE(Uses(code, "dmb")) << "the fences between steps are for the compiler only";
}

TEST(ArtifactTest, Avx2DeviceGetsNoAvx512Code) {
  const LoopNest nest = ConvNest({}, {.tile_co = 1, .tile_w = 4});
  const v1::Target full = MakeTarget("x86_64-linux-gnu", "znver5");
  const v1::Target avx2 = MakeTarget("x86_64-linux-gnu", "znver5", {"avx", "avx2", "f16c", "fma", "sse4.2"});
  const v1::Target old = MakeTarget("x86_64-linux-gnu", "znver5", {"sse2", "sse4.2"});
  EXPECT_TRUE(Uses(Disassemble(Compile(nest, full), full), "zmm"));

  const std::vector<Instruction> code = Disassemble(Compile(nest, avx2), avx2);
  EXPECT_THAT(code, Each(ResultOf(NeedsAvx512, false)));
  EXPECT_TRUE(Uses(code, "vfmadd"));
  EXPECT_TRUE(Uses(code, "ymm"));

  const std::vector<Instruction> oldest = Disassemble(Compile(nest, old), old);
  EXPECT_FALSE(Uses(oldest, "ymm"));
  EXPECT_FALSE(Uses(oldest, "vfmadd"));
}

TEST(ArtifactTest, Avx512IsSeenByItsEncodingWhateverTheRegisters) {
  const auto make = [](std::string bytes, std::string text) {
    return Instruction{.bytes = std::move(bytes), .text = std::move(text)};
  };
  EXPECT_TRUE(NeedsAvx512(make("\x62\xf1\x7c\x38\x58\x08", "vaddps (%rax){1to8}, %ymm0, %ymm1")));
  EXPECT_TRUE(NeedsAvx512(make("\x64\x67\x62\xf1\x7c\x38\x58\x08", "vaddps %fs:(%eax){1to8}, %ymm0, %ymm1")));
  EXPECT_TRUE(NeedsAvx512(make("\xc5\xf8\x92\xc8", "kmovw %eax, %k1"))) << "masks are encoded in VEX";
  EXPECT_FALSE(NeedsAvx512(make("\xc5\xfc\x58\x08", "vaddps (%rax), %ymm0, %ymm1")));
  EXPECT_FALSE(NeedsAvx512(make("\x48\x62", "the prefix of another")));
}

TEST(ArtifactTest, UnknownTargetsAreNamed) {
  const LoopNest nest = PaddedConvolution();
  LlvmCodeGenerator generator;
  const absl::Status cpu = generator.Generate(nest, MakeTarget("x86_64-linux-gnu", "znver99")).status();
  EXPECT_EQ(cpu.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(cpu.message()), HasSubstr("znver99"));
  const absl::Status triple = generator.Generate(nest, MakeTarget("z80-cpm", "")).status();
  EXPECT_EQ(triple.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(generator.Generate(nest, MakeTarget("x86_64-pc-windows-msvc", "")).status().code(),
            absl::StatusCode::kNotFound);
}

TEST(ArtifactTest, MalformedOrTooLargeNestsAreRefused) {
  const v1::Target target = MakeTarget("x86_64-linux-gnu", "znver5");
  LoopNest nest = PaddedConvolution();
  nest.buffers[1].name = nest.buffers[0].name;
  EXPECT_EQ(LlvmCodeGenerator().Generate(nest, target).status().code(), absl::StatusCode::kInvalidArgument);
  LlvmCodeGenerator small(PassPipeline::kLight, {.max_unrolled_stores = 50});
  EXPECT_EQ(small.Generate(ConvNest({}, {}), target).status().code(), absl::StatusCode::kResourceExhausted);
}

class TileTest : public testing::TestWithParam<ConvTiling> {};

// The loop that does the work: accumulators stay in registers, and most of its instructions are multiply-adds.
TEST_P(TileTest, AccumulatorsStayInRegisters) {
  for (const char* cpu : {"znver5", "sapphirerapids", "skylake-avx512"}) {
    const v1::Target target = MakeTarget("x86_64-linux-gnu", cpu);
    const std::vector<Instruction> code = Disassemble(Compile(ConvNest({}, GetParam()), target), target);
    bool found = false;
    for (const std::vector<Instruction>& loop : InnermostLoops(code)) {
      size_t multiplies = 0;
      size_t spills = 0;
      for (const Instruction& instruction : loop) {
        multiplies += instruction.text.find("vfmadd") != std::string::npos;
        spills += instruction.text.find("(%rsp") != std::string::npos;
      }
      if (multiplies == 0) continue;
      found = true;
      const double share = static_cast<double>(multiplies) / static_cast<double>(loop.size());
      std::printf("%s, %ld x %ld tile: %zu instructions, %.0f%% multiply-adds\n", cpu,
                  static_cast<long>(GetParam().tile_co), static_cast<long>(GetParam().tile_w), loop.size(),
                  100 * share);
      EXPECT_EQ(spills, 0u);
      EXPECT_GT(share, 0.55);
    }
    EXPECT_TRUE(found);
  }
}

INSTANTIATE_TEST_SUITE_P(Tilings, TileTest,
                         testing::Values(ConvTiling{.tile_co = 2, .tile_w = 14},
                                         ConvTiling{.tile_co = 2, .tile_w = 14, .unroll_ci = 4},
                                         ConvTiling{.tile_co = 4, .tile_w = 4}, ConvTiling{.tile_co = 1, .tile_w = 28},
                                         ConvTiling{.tile_co = 1, .tile_w = 14}));

}  // namespace
}  // namespace tunefleet::codegen
