// What the hottest innermost loop of a kernel spends its instructions on.
#ifndef TUNEFLEET_CODEGEN_EXPLAIN_INSTRUCTION_MIX_H_
#define TUNEFLEET_CODEGEN_EXPLAIN_INSTRUCTION_MIX_H_

#include <vector>

#include "codegen/explain/disassembly.h"

namespace tunefleet::codegen {

struct InstructionMix {
  int total = 0;
  int multiply_adds = 0;
  int arithmetic = 0;
  int loads = 0;
  int prefetches = 0;
  int stores = 0;
  int shuffles = 0;
  int integers = 0;
  int branches = 0;
  int memory_operands = 0;  // arithmetic that reads memory itself
  int spills = 0;           // accesses to the stack: values that did not fit the registers

  double MultiplyAddShare() const { return total == 0 ? 0 : static_cast<double>(multiply_adds) / total; }
};

InstructionMix MixOf(const std::vector<Instruction>& loop);

// The innermost loop with the most multiply-adds (then the most other arithmetic, then the most instructions): of the
// copies of a tile that edges need, the whole one. Loops that multiply and add alone come before all that do half as
// much other arithmetic besides: a transform of Winograd's, unrolled, may hold more multiply-adds than the products
// that it prepares, but runs once for all of these. Empty when the code has no loop.
std::vector<Instruction> HottestLoop(const std::vector<Instruction>& code);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_EXPLAIN_INSTRUCTION_MIX_H_
