// Tuned matrix multiplications against oneDNN, OpenBLAS and BLIS.
#include <memory>
#include <utility>
#include <vector>

#include "common/status_macros.h"
#include "tests/bench/blas_library.h"
#include "tests/bench/comparison.h"
#include "tests/bench/gemm_operands.h"
#include "tests/bench/onednn_matmul.h"

namespace tunefleet::bench {
namespace {

constexpr char kUsage[] =
    "tuned matrix multiplications against oneDNN, OpenBLAS and BLIS, interleaved in one process\n"
    "examples:\n"
    "  tests/bench/bench_matmul --suite=tests/bench/suites/sgemm.txt --records=bench.db\n"
    "  tests/bench/bench_matmul --suite=my_ops.txt --trials=256 --threads=2 --json";

absl::Status Accepts(const v1::Workload& workload) {
  TF_RETURN_IF_ERROR(codegen::MatmulShapeOf(workload).status());
  if (workload.nodes_size() == 1) return absl::OkStatus();
  return absl::InvalidArgumentError("it has an epilogue, which no BLAS computes; expected a bare matmul or dense");
}

// The libraries are loaded at the first operator, once the process is pinned.
class Libraries {
 public:
  absl::StatusOr<std::vector<Opponent>> operator()(const SuiteEntry& entry, const TuneSettings& settings) {
    TF_ASSIGN_OR_RETURN(const codegen::MatmulShape shape, codegen::MatmulShapeOf(entry.workload));
    if (blas_.empty()) {
      for (const BlasSpec& spec : {OpenBlas(settings.threads), Blis(settings.threads)}) {
        TF_ASSIGN_OR_RETURN(BlasLibrary library, BlasLibrary::Load(spec));
        blas_.push_back(std::move(library));
      }
    }
    std::vector<Opponent> opponents;
    TF_ASSIGN_OR_RETURN(Opponent onednn, OneDnnMatmul(std::make_shared<GemmOperands>(shape)));
    opponents.push_back(std::move(onednn));
    for (const BlasLibrary& library : blas_) {
      TF_ASSIGN_OR_RETURN(Opponent opponent, library.Matmul(std::make_shared<GemmOperands>(shape)));
      opponents.push_back(std::move(opponent));
    }
    return opponents;
  }

 private:
  std::vector<BlasLibrary> blas_;
};

}  // namespace
}  // namespace tunefleet::bench

int main(int argc, char** argv) {
  using namespace tunefleet::bench;
  const ComparisonOptions options = ParseComparisonFlags(argc, argv, kUsage);
  return ExitStatus("bench_matmul", Compare(options, {"onednn", Accepts, Libraries()}));
}
