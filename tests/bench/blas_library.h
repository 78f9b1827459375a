// A BLAS as an opponent: OpenBLAS, BLIS. Each is loaded by itself, with its symbols kept apart, and told which cores it
// runs on: both mistake recent CPUs for older ones when they look themselves. Of Debian's variants that with OpenMP's
// threads comes first: those are pinned with oneDNN's. Threads that a library makes for itself keep to the cores of the
// comparison, but to none of them; its implementation says so.
#ifndef TUNEFLEET_TESTS_BENCH_BLAS_LIBRARY_H_
#define TUNEFLEET_TESTS_BENCH_BLAS_LIBRARY_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/comparison.h"
#include "tests/bench/gemm_operands.h"

namespace tunefleet::bench {

struct BlasSpec {
  std::string label;
  std::vector<std::string> files;  // shared objects, the first that can be loaded is taken
  std::string kernels;             // what its kernels are called
  std::vector<std::pair<std::string, std::string>> environment;  // set before it is loaded
  int threads = 1;
};

BlasSpec OpenBlas(int threads);  // label "openblas"; SkylakeX kernels where there is AVX-512
BlasSpec Blis(int threads);      // label "blis"; skx kernels where there is AVX-512

class BlasLibrary {
 public:
  // The library stays loaded until the process ends. Errors: NOT_FOUND when it is missing, or has no cblas_sgemm.
  static absl::StatusOr<BlasLibrary> Load(const BlasSpec& spec);

  // cblas_sgemm on row-major operands, one call for each matrix of the batch. Errors: DATA_LOSS (a wrong product).
  absl::StatusOr<Opponent> Matmul(std::shared_ptr<GemmOperands> operands) const;

 private:
  using Sgemm = void (*)(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float* a,
                         int lda, const float* b, int ldb, float beta, float* c, int ldc);

  BlasLibrary(std::string label, std::string implementation, Sgemm sgemm)
      : label_(std::move(label)), implementation_(std::move(implementation)), sgemm_(sgemm) {}

  std::string label_;
  std::string implementation_;
  Sgemm sgemm_;
};

}  // namespace tunefleet::bench

#endif  // TUNEFLEET_TESTS_BENCH_BLAS_LIBRARY_H_
