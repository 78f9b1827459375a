// The innermost loops of machine code, from its jumps alone. Source: Aho, Lam, Sethi, Ullman, "Compilers", 9.6.
#ifndef TUNEFLEET_CODEGEN_EXPLAIN_NATURAL_LOOPS_H_
#define TUNEFLEET_CODEGEN_EXPLAIN_NATURAL_LOOPS_H_

#include <vector>

#include "codegen/explain/disassembly.h"

namespace tunefleet::codegen {

// The instructions of each loop that has no other inside, by address. A loop has one header, which every way into it
// passes; all ways back to the header belong to it, and a jump backwards to code that does not lead to it is none.
std::vector<std::vector<Instruction>> InnermostLoops(const std::vector<Instruction>& code);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_EXPLAIN_NATURAL_LOOPS_H_
