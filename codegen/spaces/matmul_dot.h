// x86.matmul.dot: matrix multiplication with the depth in the lanes of vectors, for products with few columns (or, with
// B transposed, few rows), which leave nothing to vectorize over: each output is a dot product.
//
// A tile of m_tile rows times n_tile columns keeps a vector of partial sums per output; they are added up in two steps,
// to a quarter of the lanes and then to one. B is copied first unless it is transposed already.
#ifndef TUNEFLEET_CODEGEN_SPACES_MATMUL_DOT_H_
#define TUNEFLEET_CODEGEN_SPACES_MATMUL_DOT_H_

#include <memory>

#include "absl/status/statusor.h"
#include "codegen/operators/workload.h"
#include "codegen/spaces/schedule_space.h"

namespace tunefleet::codegen {

// Whether the space is worth searching for such a product.
bool MatmulDotApplies(const MatmulShape& shape, const v1::Target& target);

// Errors: those of MatmulShapeOf and FreshNest.
absl::StatusOr<std::unique_ptr<ScheduleSpace>> MakeMatmulDotSpace(const v1::Workload& workload,
                                                                  const v1::Target& target);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_SPACES_MATMUL_DOT_H_
