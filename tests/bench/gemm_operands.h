// The operands of a matrix multiplication, plain and row-major, as a caller of a BLAS has them.
#ifndef TUNEFLEET_TESTS_BENCH_GEMM_OPERANDS_H_
#define TUNEFLEET_TESTS_BENCH_GEMM_OPERANDS_H_

#include <cstdlib>
#include <memory>

#include "absl/status/status.h"
#include "codegen/operators/workload.h"

namespace tunefleet::bench {

struct GemmOperands {
  explicit GemmOperands(const codegen::MatmulShape& shape);

  struct Free {
    void operator()(float* memory) const { std::free(memory); }
  };
  using Matrix = std::unique_ptr<float[], Free>;  // 64-byte aligned

  codegen::MatmulShape shape;
  Matrix a;  // [batch, m, k], or [batch, k, m] when transposed
  Matrix b;  // [batch, k, n], or [batch, n, k] when transposed (as the weight of a dense layer is)
  Matrix c;  // [batch, m, n]

  bool TransposedB() const { return shape.tb || shape.constant_b; }
  // Whether c holds the product, by elements spread over it. Errors: DATA_LOSS, naming the element.
  absl::Status CheckProduct() const;
};

}  // namespace tunefleet::bench

#endif  // TUNEFLEET_TESTS_BENCH_GEMM_OPERANDS_H_
