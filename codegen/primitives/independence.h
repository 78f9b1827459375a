// Whether the iterations of a loop may run in any order, or at once.
//
// They may when no block bound to the loop reduces over it, and every buffer written in them is either scratch used
// nowhere else (each iteration has its own), or is accessed by different iterations in different places.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_INDEPENDENCE_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_INDEPENDENCE_H_

#include <vector>

#include "absl/status/status.h"
#include "codegen/ir/loop_nest.h"
#include "codegen/ir/tree.h"
#include "codegen/primitives/affine.h"

namespace tunefleet::codegen {

// `around` are the loops outside `body`, outermost first, with `loop` among them; those in `fixed` stand still, all
// others vary freely from one iteration to another. Scratch is an iteration's own when all its uses are in `body`.
// Errors: FAILED_PRECONDITION, naming the block and buffer that tie iterations together (or cannot be proven not to).
absl::Status CheckIndependent(const LoopNest& nest, const Loop& loop, const std::vector<const Loop*>& around,
                              const VarSet& fixed, const Stmt& body);

// The same for a loop as it stands in the nest, the last of `loops`: loops around it stand still.
absl::Status CheckIndependent(const LoopNest& nest, const std::vector<const Loop*>& loops);

// Checks again every parallel and vectorized loop on the path (the target too). For primitives that moved something
// under them.
absl::Status CheckConcurrentLoops(const LoopNest& nest, const Path& path);

// Errors: FAILED_PRECONDITION when one of the loops is vectorized: nothing can be placed in it.
absl::Status CheckNoneVectorized(const std::vector<const Loop*>& loops);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_INDEPENDENCE_H_
