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

using Environment = std::vector<std::pair<std::string, std::string>>;

// Both libraries mistake virtual processors with AVX-512 for lesser ones; without it their own choice is right.
BlasSpec SpecOf(std::string label, std::string file, Environment environment, const std::string& variable,
                const std::string& avx512_kernels) {
  BlasSpec spec{.label = std::move(label), .file = std::move(file), .kernels = "its choice"};
  spec.environment = std::move(environment);
  if (__builtin_cpu_supports("avx512f") != 0) {
    spec.kernels = avx512_kernels;
    spec.environment.emplace_back(variable, avx512_kernels);
  }
  return spec;
}

}  // namespace

BlasSpec OpenBlas(int threads) {
  return SpecOf("openblas", "libopenblas.so.0", {{"OPENBLAS_NUM_THREADS", absl::StrCat(threads)}}, "OPENBLAS_CORETYPE",
                "SkylakeX");
}

BlasSpec Blis(int threads) {
  return SpecOf("blis", "libblis.so.4", {{"BLIS_NUM_THREADS", absl::StrCat(threads)}}, "BLIS_ARCH_TYPE", "skx");
}

absl::StatusOr<BlasLibrary> BlasLibrary::Load(const BlasSpec& spec) {
  for (const auto& [name, value] : spec.environment) setenv(name.c_str(), value.c_str(), 1);
  void* library = dlopen(spec.file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("cannot load ", spec.file, " (deploy/install-deps.sh installs it): ", dlerror()));
  }
  void* sgemm = dlsym(library, "cblas_sgemm");
  if (sgemm == nullptr) return absl::NotFoundError(absl::StrCat(spec.file, " has no function cblas_sgemm"));
  return BlasLibrary(spec.label, spec.kernels, reinterpret_cast<Sgemm>(sgemm));
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
