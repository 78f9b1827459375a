#include "codegen/explain/instruction_mix.h"

#include <algorithm>
#include <tuple>

#include "codegen/explain/natural_loops.h"

namespace tunefleet::codegen {

InstructionMix MixOf(const std::vector<Instruction>& loop) {
  InstructionMix mix;
  for (const Instruction& instruction : loop) {
    ++mix.total;
    mix.spills += instruction.on_stack ? 1 : 0;
    const bool computes =
        instruction.kind == InstructionKind::kMultiplyAdd || instruction.kind == InstructionKind::kArithmetic;
    mix.memory_operands += computes && instruction.reads_memory ? 1 : 0;
    switch (instruction.kind) {
      case InstructionKind::kMultiplyAdd:
        ++mix.multiply_adds;
        break;
      case InstructionKind::kArithmetic:
        ++mix.arithmetic;
        break;
      case InstructionKind::kLoad:
        ++mix.loads;
        break;
      case InstructionKind::kPrefetch:
        ++mix.prefetches;
        break;
      case InstructionKind::kStore:
        ++mix.stores;
        break;
      case InstructionKind::kShuffle:
        ++mix.shuffles;
        break;
      case InstructionKind::kInteger:
        ++mix.integers;
        break;
      case InstructionKind::kBranch:
        ++mix.branches;
        break;
    }
  }
  return mix;
}

std::vector<Instruction> HottestLoop(const std::vector<Instruction>& code) {
  const auto heat = [](const std::vector<Instruction>& loop) {
    const InstructionMix mix = MixOf(loop);
    const bool products = mix.multiply_adds > 0 && 2 * mix.arithmetic < mix.multiply_adds;
    return std::tuple(products, mix.multiply_adds, mix.arithmetic, mix.total);
  };
  std::vector<Instruction> hottest;
  for (std::vector<Instruction>& loop : InnermostLoops(code)) {
    if (hottest.empty() || heat(loop) > heat(hottest)) hottest = std::move(loop);
  }
  return hottest;
}

}  // namespace tunefleet::codegen
