#include "tests/bench/blas_library.h"

#include <dlfcn.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace tunefleet::bench {
namespace {

// What OpenBLAS says of itself: 0 no threads, 1 its own, 2 OpenMP's.
constexpr int kOwnThreads = 1;

// Both libraries mistake virtual processors with AVX-512 for lesser ones; without it their own choice is right.
BlasSpec SpecOf(std::string label, std::vector<std::string> files, int threads, const std::string& threads_variable,
                const std::string& variable, const std::string& avx512_kernels) {
  BlasSpec spec{.label = std::move(label), .files = std::move(files), .kernels = "its choice"};
  spec.threads = threads;
  spec.environment.emplace_back(threads_variable, absl::StrCat(threads));
  if (__builtin_cpu_supports("avx512f") != 0) {
    spec.kernels = avx512_kernels;
    spec.environment.emplace_back(variable, avx512_kernels);
  }
  return spec;
}

}  // namespace

BlasSpec OpenBlas(int threads) {
  return SpecOf("openblas", {"/usr/lib/x86_64-linux-gnu/openblas-openmp/libopenblas.so.0", "libopenblas.so.0"}, threads,
                "OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE", "SkylakeX");
}

BlasSpec Blis(int threads) {
  return SpecOf("blis", {"/usr/lib/x86_64-linux-gnu/blis-openmp/libblis.so.4", "libblis.so.4"}, threads,
                "BLIS_NUM_THREADS", "BLIS_ARCH_TYPE", "skx");
}

absl::StatusOr<BlasLibrary> BlasLibrary::Load(const BlasSpec& spec) {
  for (const auto& [name, value] : spec.environment) setenv(name.c_str(), value.c_str(), 1);
  void* library = nullptr;
  for (const std::string& file : spec.files) {
    if (library == nullptr) library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  }
  if (library == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("cannot load ", spec.label, " (deploy/install-deps.sh installs it): ", dlerror()));
  }
  void* sgemm = dlsym(library, "cblas_sgemm");
  if (sgemm == nullptr) return absl::NotFoundError(absl::StrCat(spec.label, " has no function cblas_sgemm"));
  auto* parallel = reinterpret_cast<int (*)()>(dlsym(library, "openblas_get_parallel"));
  const bool unpinned = spec.threads > 1 && parallel != nullptr && parallel() == kOwnThreads;
  return BlasLibrary(spec.label, absl::StrCat(spec.kernels, unpinned ? ", threads not pinned one by one" : ""),
                     reinterpret_cast<Sgemm>(sgemm));
}

absl::StatusOr<Opponent> BlasLibrary::Matmul(std::shared_ptr<GemmOperands> operands) const {
  constexpr int kRowMajor = 101, kNoTranspose = 111, kTranspose = 112;
  const auto run = [sgemm = sgemm_, operands] {
    const codegen::MatmulShape& s = operands->shape;
    const bool tb = operands->TransposedB();
    const int m = static_cast<int>(s.m), n = static_cast<int>(s.n), k = static_cast<int>(s.k);
    for (int64_t i = 0; i < s.batch; ++i) {
      sgemm(kRowMajor, s.ta ? kTranspose : kNoTranspose, tb ? kTranspose : kNoTranspose, m, n, k, 1.0F,
            operands->a.get() + i * s.m * s.k, s.ta ? m : k, operands->b.get() + i * s.k * s.n, tb ? k : n, 0.0F,
            operands->c.get() + i * s.m * s.n, n);
    }
  };
  run();
  TF_RETURN_IF_ERROR(operands->CheckProduct());
  return Opponent{label_, implementation_, run};
}

}  // namespace tunefleet::bench
