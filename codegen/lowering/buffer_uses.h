// Where temporaries are used in a nest whose blocks are over loop variables.
#ifndef TUNEFLEET_CODEGEN_LOWERING_BUFFER_USES_H_
#define TUNEFLEET_CODEGEN_LOWERING_BUFFER_USES_H_

#include <vector>

#include "codegen/ir/interval.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// One load from or store to a buffer. Borrows from the nest.
struct BufferUse {
  std::vector<Stmt> path;  // from the root down to the block
  const Block* block;
  std::vector<Expr> indices;
  VarRanges ranges;  // of the loops on the path
};

// Per buffer, in program order; empty for buffers that are no temporaries.
std::vector<std::vector<BufferUse>> UsesOfTemporaries(const LoopNest& nest);

// The statements around the innermost statement that contains all uses, which itself is not among them.
std::vector<Stmt> CommonPath(const std::vector<BufferUse>& uses);

// The outermost parallel loop on the path, or null.
const Loop* ParallelLoopOf(const BufferUse& use);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LOWERING_BUFFER_USES_H_
