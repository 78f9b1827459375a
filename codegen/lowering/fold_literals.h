// fold_literals: loads of literal buffers at constant indices become numbers, and sums of products with them become few
// additions.
//
// A value that loads a literal is rewritten with these rules, in which c is a number, never a rounded product of two:
//   0 * x = 0    0 + x = x    1 * x = x    c * a + c * b = c * (a + b)    c * a + -c * b = c * (a - b)
// Signs and common factors move outwards, so that sums which differ in a sign only have their parts in common. Results
// may differ from the unfolded ones in the last bits, in the sign of a zero, and where x is not finite.
#ifndef TUNEFLEET_CODEGEN_LOWERING_FOLD_LITERALS_H_
#define TUNEFLEET_CODEGEN_LOWERING_FOLD_LITERALS_H_

#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// Bodies are over loop variables. Literals that nothing loads any more stay in the list of buffers.
LoopNest FoldLiterals(const LoopNest& nest);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LOWERING_FOLD_LITERALS_H_
