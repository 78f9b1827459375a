#include "tests/bench/gemm_operands.h"

#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"

namespace tunefleet::bench {
namespace {

GemmOperands::Matrix MakeMatrix(int64_t elements, float fill(int64_t)) {
  const size_t bytes = (static_cast<size_t>(elements) * sizeof(float) + 63) / 64 * 64;
  GemmOperands::Matrix matrix(static_cast<float*>(std::aligned_alloc(64, bytes)));
  for (int64_t i = 0; i < elements; ++i) matrix[i] = fill(i);
  return matrix;
}

}  // namespace

GemmOperands::GemmOperands(const codegen::MatmulShape& s)
    : shape(s),
      a(MakeMatrix(s.batch * s.m * s.k, [](int64_t i) { return static_cast<float>(i % 17) - 8; })),
      b(MakeMatrix(s.batch * s.k * s.n, [](int64_t i) { return static_cast<float>(i % 13) - 6; })),
      c(MakeMatrix(s.batch * s.m * s.n, [](int64_t) { return std::numeric_limits<float>::quiet_NaN(); })) {}

absl::Status GemmOperands::CheckProduct() const {
  constexpr int64_t kChecked = 101;
  const auto [batch, m, n, k, ta, tb, constant_a, constant_b, dtype] = shape;
  const int64_t elements = batch * m * n;
  for (int64_t check = 0; check < kChecked; ++check) {
    const int64_t at = (elements - 1) * check / (kChecked - 1);
    const int64_t matrix = at / (m * n), row = at / n % m, column = at % n;
    double sum = 0, size = 0;
    for (int64_t i = 0; i < k; ++i) {
      const double term = double{a[matrix * m * k + (ta ? i * m + row : row * k + i)]} *
                          double{b[matrix * k * n + (TransposedB() ? column * k + i : i * n + column)]};
      sum += term;
      size += std::abs(term);
    }
    if (!(std::abs(c[at] - sum) <= 1e-5 * size)) {
      return absl::DataLossError(absl::StrCat("element ", at, " of the product is ", c[at], ", expected ", sum));
    }
  }
  return absl::OkStatus();
}

}  // namespace tunefleet::bench
