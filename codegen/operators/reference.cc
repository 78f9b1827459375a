#include "codegen/operators/reference.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>

#include "absl/strings/str_cat.h"
#include "codegen/operators/workload.h"
#include "common/digest.h"
#include "common/fill.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

constexpr int64_t kExactIntegers = int64_t{1} << 24;
constexpr uint32_t kMostFractionBits = 8;
constexpr uint32_t kInt8Bits = 7;    // of magnitudes
constexpr uint32_t kInt32Bits = 20;  // of a bias: far below the sums' limit, and exact in fp32

bool IsConv2dKind(const std::string& kind) { return kind == "conv2d" || kind == "depthwise_conv2d"; }

// A tensor without its layout: logical shape, row-major. Integers here are at most 20 bits long.
using Dense = std::vector<float>;

struct Anchor {
  std::vector<double> output;  // logical, row-major
  int64_t channels = 1;        // the bias's axis: its extent ...
  int64_t inner = 1;           // ... and stride
};

// Position in memory of logical element `index` of the tensor.
int64_t Position(const std::vector<int64_t>& physical, const v1::Tensor& tensor, int64_t index) {
  if (physical.size() != 5) return index;
  const int64_t area = physical[2] * physical[3];
  const int64_t pixel = index % area;
  const int64_t channel = index / area % tensor.shape(1);
  const int64_t image = index / area / tensor.shape(1);
  const int64_t block = physical[4];
  return ((image * physical[1] + channel / block) * area + pixel) * block + channel % block;
}

int64_t Elements(const std::vector<int64_t>& shape) {
  int64_t elements = 1;
  for (const int64_t extent : shape) elements *= extent;
  return elements;
}

// The elements of a filled buffer of T.
template <typename T>
absl::StatusOr<Dense> FilledMemory(int64_t elements, const v1::BufferFill& fill) {
  std::vector<T> memory(elements);
  TF_RETURN_IF_ERROR(common::FillBuffer(fill, std::as_writable_bytes(std::span(memory))));
  return Dense(memory.begin(), memory.end());
}

absl::StatusOr<Dense> FilledTensor(const v1::Tensor& tensor, const v1::BufferFill& fill) {
  const std::vector<int64_t> physical = PhysicalShape(tensor);
  const auto filled = tensor.dtype() == v1::DATA_TYPE_INT8    ? FilledMemory<int8_t>
                      : tensor.dtype() == v1::DATA_TYPE_INT32 ? FilledMemory<int32_t>
                                                              : FilledMemory<float>;
  TF_ASSIGN_OR_RETURN(Dense memory, filled(Elements(physical), fill));
  if (physical.size() != 5) return memory;
  Dense dense(Elements({tensor.shape().begin(), tensor.shape().end()}));
  for (size_t i = 0; i < dense.size(); ++i) dense[i] = memory[Position(physical, tensor, i)];
  return dense;
}

template <typename T>
std::string PackedAs(const v1::Tensor& tensor, const std::vector<double>& values) {
  const std::vector<int64_t> physical = PhysicalShape(tensor);
  std::vector<T> memory(Elements(physical), T{0});
  for (size_t i = 0; i < values.size(); ++i) memory[Position(physical, tensor, i)] = static_cast<T>(values[i]);
  return {reinterpret_cast<const char*>(memory.data()), memory.size() * sizeof(T)};
}

std::string Packed(const v1::Tensor& tensor, const std::vector<double>& values) {
  return tensor.dtype() == v1::DATA_TYPE_INT32 ? PackedAs<int32_t>(tensor, values) : PackedAs<float>(tensor, values);
}

// Output positions whose input position o * stride + offset lies inside [0, size).
std::pair<int64_t, int64_t> Inside(int64_t outputs, int64_t stride, int64_t offset, int64_t size) {
  const int64_t first = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
  const int64_t last = size - 1 - offset < 0 ? -1 : (size - 1 - offset) / stride;
  return {std::min(first, outputs), std::clamp(last + 1, std::min(first, outputs), outputs)};
}

// Adds one input channel, seen through one filter, to one output plane.
void AddChannel(const Conv2dShape& s, const float* input, const float* filter, double* output) {
  const int64_t oh = s.OutputHeight();
  const int64_t ow = s.OutputWidth();
  for (int64_t kh = 0; kh < s.kh; ++kh) {
    const auto [row_begin, row_end] = Inside(oh, s.sh, kh * s.d - s.ph, s.h);
    for (int64_t kw = 0; kw < s.kw; ++kw) {
      const int64_t offset = kw * s.d - s.pw;
      const auto [begin, end] = Inside(ow, s.sw, offset, s.w);
      const double weight = filter[kh * s.kw + kw];
      for (int64_t row = row_begin; row < row_end; ++row) {
        const float* in = input + (row * s.sh + kh * s.d - s.ph) * s.w + offset;
        double* out = output + row * ow;
        for (int64_t column = begin; column < end; ++column) out[column] += weight * in[column * s.sw];
      }
    }
  }
}

double SumOfSquares(const float* values, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += static_cast<double>(values[i]) * values[i];
  return sum;
}

// The largest sum of squares that a window sees in `channels` planes.
double LargestWindow(const Conv2dShape& s, const float* input, int64_t channels) {
  std::vector<float> squares(s.h * s.w, 0.0F);
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t i = 0; i < s.h * s.w; ++i) squares[i] += input[c * s.h * s.w + i] * input[c * s.h * s.w + i];
  }
  const std::vector<float> ones(s.kh * s.kw, 1.0F);
  std::vector<double> windows(s.OutputHeight() * s.OutputWidth(), 0.0);
  AddChannel(s, squares.data(), ones.data(), windows.data());
  return *std::max_element(windows.begin(), windows.end());
}

// Upper bounds of sum |a_i b_i| over every output (Cauchy-Schwarz).
double LargestSum(const Conv2dShape& s, const Dense& data, const Dense& weight) {
  const int64_t filter_channels = s.depthwise ? 1 : s.ci;
  const int64_t filter_size = filter_channels * s.kh * s.kw;
  std::vector<double> filter_squares(s.co);
  for (int64_t c = 0; c < s.co; ++c) filter_squares[c] = SumOfSquares(&weight[c * filter_size], filter_size);
  const double largest_filter = *std::max_element(filter_squares.begin(), filter_squares.end());
  const int64_t groups = s.depthwise ? s.ci : 1;
  double largest = 0;
  for (int64_t n = 0; n < s.n; ++n) {
    for (int64_t g = 0; g < groups; ++g) {
      const double filter = s.depthwise ? filter_squares[g] : largest_filter;
      const double window = LargestWindow(s, &data[(n * s.ci + g) * s.h * s.w], filter_channels);
      largest = std::max(largest, std::sqrt(filter * window));
    }
  }
  return largest;
}

Anchor RunConv2d(const Conv2dShape& s, const Dense& data, const Dense& weight) {
  const int64_t area = s.OutputHeight() * s.OutputWidth();
  const int64_t in_area = s.h * s.w;
  const int64_t taps = s.kh * s.kw;
  const int64_t filter_channels = s.depthwise ? 1 : s.ci;
  Anchor anchor;
  anchor.output.assign(s.n * s.co * area, 0.0);
  anchor.channels = s.co;
  anchor.inner = area;
  for (int64_t n = 0; n < s.n; ++n) {
    for (int64_t co = 0; co < s.co; ++co) {
      double* output = &anchor.output[(n * s.co + co) * area];
      for (int64_t ci = 0; ci < filter_channels; ++ci) {
        AddChannel(s, &data[(n * s.ci + (s.depthwise ? co : ci)) * in_area],
                   &weight[(co * filter_channels + ci) * taps], output);
      }
    }
  }
  return anchor;
}

// [rows, columns] -> [columns, rows]
Dense Transposed(const float* matrix, int64_t rows, int64_t columns) {
  Dense transposed(rows * columns);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) transposed[c * rows + r] = matrix[r * columns + c];
  }
  return transposed;
}

// The operands of one product of the batch: a [m, k], and b transposed, [n, k].
struct Operands {
  Dense a;
  Dense bt;
};
Operands OperandsOf(const MatmulShape& s, const Dense& left, const Dense& right, int64_t batch) {
  const float* a = &left[batch * s.m * s.k];
  const float* b = &right[batch * s.k * s.n];
  const bool b_is_nk = s.tb || s.constant_b;
  return {s.ta ? Transposed(a, s.k, s.m) : Dense(a, a + s.m * s.k),
          b_is_nk ? Dense(b, b + s.k * s.n) : Transposed(b, s.k, s.n)};
}

double LargestSum(const MatmulShape& s, const Dense& left, const Dense& right) {
  double largest = 0;
  for (int64_t batch = 0; batch < s.batch; ++batch) {
    const Operands operands = OperandsOf(s, left, right, batch);
    double largest_row = 0;
    for (int64_t m = 0; m < s.m; ++m) largest_row = std::max(largest_row, SumOfSquares(&operands.a[m * s.k], s.k));
    double largest_column = 0;
    for (int64_t n = 0; n < s.n; ++n) {
      largest_column = std::max(largest_column, SumOfSquares(&operands.bt[n * s.k], s.k));
    }
    largest = std::max(largest, std::sqrt(largest_row * largest_column));
  }
  return largest;
}

Anchor RunMatmul(const MatmulShape& s, const Dense& left, const Dense& right) {
  Anchor anchor;
  anchor.output.assign(s.batch * s.m * s.n, 0.0);
  anchor.channels = s.n;
  for (int64_t batch = 0; batch < s.batch; ++batch) {
    const auto [a, bt] = OperandsOf(s, left, right, batch);
    const Dense b = Transposed(bt.data(), s.n, s.k);  // [k, n]
    for (int64_t m = 0; m < s.m; ++m) {
      double* output = &anchor.output[(batch * s.m + m) * s.n];
      for (int64_t k = 0; k < s.k; ++k) {
        const double factor = a[m * s.k + k];
        const float* row = &b[k * s.n];
        for (int64_t n = 0; n < s.n; ++n) output[n] += factor * row[n];
      }
    }
  }
  return anchor;
}

// Index of the bias among the tensors; -1: none.
int BiasOf(const v1::Workload& workload) {
  int bias = -1;
  for (int i = 0; i < workload.tensors_size(); ++i) {
    if (workload.tensors(i).name() == "bias") bias = i;
  }
  return bias;
}

bool HasRelu(const v1::Workload& workload) {
  return std::any_of(workload.nodes().begin(), workload.nodes().end(),
                     [](const v1::OperatorNode& node) { return node.kind() == "relu"; });
}

// The nodes after the anchor, applied to its sums.
std::vector<double> Epilogue(const v1::Workload& workload, const Anchor& anchor, const std::vector<Dense>& tensors,
                             std::vector<double> values) {
  for (int i = 1; i < workload.nodes_size(); ++i) {
    if (workload.nodes(i).kind() == "relu") {
      for (double& value : values) value = std::max(value, 0.0);
      continue;
    }
    const Dense& bias = tensors[BiasOf(workload)];
    for (size_t j = 0; j < values.size(); ++j) values[j] += bias[j / anchor.inner % anchor.channels];
  }
  return values;
}

// Products in one sum.
absl::StatusOr<int64_t> ReductionOf(const v1::Workload& workload) {
  if (IsConv2dKind(workload.nodes(0).kind())) {
    TF_ASSIGN_OR_RETURN(const Conv2dShape shape, Conv2dShapeOf(workload));
    return (shape.depthwise ? 1 : shape.ci) * shape.kh * shape.kw;
  }
  TF_ASSIGN_OR_RETURN(const MatmulShape shape, MatmulShapeOf(workload));
  return shape.k;
}

// The most with which `terms` products add up exactly (reference.h); 0 when there is none.
uint32_t ExactFractionBits(int64_t terms) {
  uint32_t bits = kMostFractionBits;
  while (bits > 0 && terms > kExactIntegers >> (2 * bits)) --bits;
  return bits;
}

// Of a tensor's lattice.
uint32_t LatticeBits(v1::DataType dtype, uint32_t exact_bits) {
  if (dtype == v1::DATA_TYPE_INT8) return kInt8Bits;
  if (dtype == v1::DATA_TYPE_INT32) return kInt32Bits;
  return std::max(exact_bits, 1U);
}

absl::StatusOr<Reference> MakeReference(const v1::Workload& workload, uint64_t seed, InputValues inputs,
                                        bool with_outputs) {
  if (workload.nodes_size() == 0) return absl::InvalidArgumentError("reference: the workload has no operator");
  TF_ASSIGN_OR_RETURN(const int64_t reduction, ReductionOf(workload));
  const uint32_t exact_bits = inputs == InputValues::kUniform ? 0 : ExactFractionBits(reduction + 1);
  Reference reference;
  std::vector<Dense> tensors(workload.tensors_size());
  int output = -1;
  const int bias = BiasOf(workload);
  for (int i = 0; i < workload.tensors_size(); ++i) {
    const v1::Tensor& tensor = workload.tensors(i);
    if (tensor.role() == v1::TENSOR_ROLE_OUTPUT) output = i;
    if (tensor.role() != v1::TENSOR_ROLE_INPUT && tensor.role() != v1::TENSOR_ROLE_CONSTANT) continue;
    v1::BufferFill fill = SeededFill(tensor, seed + i);
    fill.set_buffer(i);
    if (inputs == InputValues::kLattice) {
      fill.mutable_lattice()->set_seed(seed + i);
      fill.mutable_lattice()->set_fraction_bits(LatticeBits(tensor.dtype(), exact_bits));
      if (HasRelu(workload)) fill.mutable_lattice()->set_sign(v1::SIGN_POSITIVE);
    }
    TF_ASSIGN_OR_RETURN(tensors[i], FilledTensor(tensor, fill));
    reference.fills.push_back(std::move(fill));
  }

  if (output < 0) return absl::InvalidArgumentError("reference: the workload has no output");

  Anchor anchor;
  double largest_sum = 0;
  if (IsConv2dKind(workload.nodes(0).kind())) {
    TF_ASSIGN_OR_RETURN(const Conv2dShape shape, Conv2dShapeOf(workload));
    largest_sum = LargestSum(shape, tensors[0], tensors[1]);
    if (with_outputs) anchor = RunConv2d(shape, tensors[0], tensors[1]);
  } else {
    TF_ASSIGN_OR_RETURN(const MatmulShape shape, MatmulShapeOf(workload));
    largest_sum = LargestSum(shape, tensors[0], tensors[1]);
    if (with_outputs) anchor = RunMatmul(shape, tensors[0], tensors[1]);
  }

  double largest_bias = 0;
  if (bias >= 0) {
    for (const float value : tensors[bias]) largest_bias = std::max(largest_bias, std::abs(static_cast<double>(value)));
  }
  v1::OutputCheck check;
  check.set_buffer(output);
  check.set_dtype(workload.tensors(output).dtype());
  reference.magnitudes.push_back(largest_sum + largest_bias);
  if (check.dtype() == v1::DATA_TYPE_INT32) {
    check.set_absolute(0);
  } else if (exact_bits > 0) {
    check.set_absolute(std::ldexp(0.5, -2 * static_cast<int>(exact_bits)));
  } else {
    // One more rounding for the bias, one for storing the reference itself; relu brings values no further apart.
    const double k_u = static_cast<double>(reduction + (bias >= 0 ? 1 : 0)) * kUnitRoundoff;
    check.set_absolute(k_u / (1 - k_u) * reference.magnitudes.back() + std::numeric_limits<float>::min());
    check.set_relative(kUnitRoundoff);
  }
  const v1::Tensor& tensor = workload.tensors(output);
  const bool has_second = HasRelu(workload) && inputs == InputValues::kLattice;
  if (has_second) {
    reference.second_fills.push_back(reference.fills[0]);
    reference.second_fills.back().mutable_lattice()->set_sign(v1::SIGN_NEGATIVE);
  }
  if (with_outputs) {
    std::vector<double> sums = std::move(anchor.output);
    if (has_second) {
      std::vector<double> negated = sums;
      for (double& value : negated) value = -value;
      reference.second_outputs.push_back(Packed(tensor, Epilogue(workload, anchor, tensors, std::move(negated))));
      check.set_second_reference_digest(common::Sha256(reference.second_outputs.back()));
    }
    reference.outputs.push_back(Packed(tensor, Epilogue(workload, anchor, tensors, std::move(sums))));
    check.set_reference_digest(common::Sha256(reference.outputs.back()));
  }
  reference.checks.push_back(std::move(check));
  return reference;
}

}  // namespace

absl::StatusOr<Reference> ComputeReference(const v1::Workload& workload, uint64_t seed, InputValues inputs) {
  return MakeReference(workload, seed, inputs, /*with_outputs=*/true);
}

absl::StatusOr<Reference> ReferenceWithoutOutputs(const v1::Workload& workload, uint64_t seed) {
  return MakeReference(workload, seed, InputValues::kLattice, /*with_outputs=*/false);
}

}  // namespace tunefleet::codegen
