// x86.matmul.packed: matrix multiplication (and dense) with a register tile of m_tile rows times n_vectors vectors,
// cache blocks of rows, columns and depth, and packing of either operand (after Goto and van de Geijn, Anatomy of
// High-Performance Matrix Multiplication, 2008).
//
// The inner loop broadcasts elements of A and multiplies them with vectors of B. Where the depth is cut, each pass over
// it adds to the output. A constant operand (a dense layer's, a pointwise convolution's weight) is packed in prepare;
// what a matmul packs is packed inside the timed kernel.
#ifndef TUNEFLEET_CODEGEN_SPACES_MATMUL_PACKED_H_
#define TUNEFLEET_CODEGEN_SPACES_MATMUL_PACKED_H_

#include <memory>

#include "absl/status/statusor.h"
#include "codegen/operators/workload.h"
#include "codegen/spaces/schedule_space.h"

namespace tunefleet::codegen {

// Errors: those of MatmulShapeOf and FreshNest.
absl::StatusOr<std::unique_ptr<ScheduleSpace>> MakeMatmulPackedSpace(const v1::Workload& workload,
                                                                     const v1::Target& target);

// The same for a pointwise convolution, whose PointwiseMatmul is `shape`. Errors: those of FreshNest.
absl::StatusOr<std::unique_ptr<ScheduleSpace>> MakePointwiseMatmulSpace(const v1::Workload& workload,
                                                                        const MatmulShape& shape,
                                                                        const v1::Target& target);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_SPACES_MATMUL_PACKED_H_
