// oneDNN's matmul as an opponent: fp32, plain row-major operands as the caller has them, the primitive cached.
#ifndef TUNEFLEET_TESTS_BENCH_ONEDNN_MATMUL_H_
#define TUNEFLEET_TESTS_BENCH_ONEDNN_MATMUL_H_

#include <memory>

#include "absl/status/statusor.h"
#include "tests/bench/comparison.h"
#include "tests/bench/gemm_operands.h"

namespace tunefleet::bench {

// Labelled "onednn". Runs on OpenMP's threads. A dense layer's weight is reordered beforehand into the layout that the
// library asks for, as ours is in prepare. Errors: INTERNAL, with the library's message.
absl::StatusOr<Opponent> OneDnnMatmul(std::shared_ptr<GemmOperands> operands);

}  // namespace tunefleet::bench

#endif  // TUNEFLEET_TESTS_BENCH_ONEDNN_MATMUL_H_
