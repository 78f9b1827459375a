#include "codegen/operators/build_workload.h"

#include <initializer_list>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "codegen/operators/element_type.h"
#include "codegen/operators/layout.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

constexpr int64_t kLargestTensor = int64_t{1} << 31;      // elements
constexpr int64_t kLongestReduction = int64_t{1} << 22;   // fp32: keeps K u far below 1 in the error bound
constexpr int64_t kLongestInt8Reduction = (1 << 17) - 1;  // int8: K (-128)^2 is an int32

// The product, or nullopt past the limit. Factors are positive.
bool ProductFits(std::initializer_list<int64_t> factors, int64_t limit) {
  int64_t product = 1;
  for (const int64_t factor : factors) {
    if (factor > limit / product) return false;
    product *= factor;
  }
  return true;
}

absl::Status CheckTensor(absl::string_view name, std::initializer_list<int64_t> shape) {
  if (ProductFits(shape, kLargestTensor)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("tensor '", name, "' [", absl::StrJoin(shape, ", "),
                                                 "] has more than ", kLargestTensor, " elements"));
}

absl::Status CheckReduction(std::initializer_list<int64_t> factors, v1::DataType dtype) {
  const bool is_int8 = dtype == v1::DATA_TYPE_INT8;
  if (!is_int8 && dtype != v1::DATA_TYPE_FLOAT32) {
    return absl::InvalidArgumentError(absl::StrCat("element type ", dtype, " is neither float32 nor int8"));
  }
  const int64_t longest = is_int8 ? kLongestInt8Reduction : kLongestReduction;
  if (ProductFits(factors, longest)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("each output sums ", absl::StrJoin(factors, " * "), " products; the most that ",
                   is_int8 ? "an int32 holds of int8" : "fp32 is trusted with", " is ", longest));
}

void AddTensor(v1::Workload& workload, absl::string_view name, std::vector<int64_t> shape, v1::DataType dtype,
               absl::string_view layout, v1::TensorRole role) {
  v1::Tensor& tensor = *workload.add_tensors();
  tensor.set_name(std::string(name));
  for (const int64_t extent : shape) tensor.add_shape(extent);
  tensor.set_dtype(dtype);
  tensor.set_layout(std::string(layout));
  tensor.set_role(role);
}

struct AnchorNode {
  std::string kind;
  v1::DataType dtype;  // of the inputs
  std::vector<std::string> inputs;
  std::vector<std::pair<std::string, int64_t>> attributes;  // sorted by name
  std::vector<int64_t> output_shape;
  std::string output_layout;
  int64_t bias_extent;
  std::string bias_layout;
};

// The anchor, its epilogue chain and the tensors between them. Tensors: inputs of the anchor, bias, output,
// intermediates; so a tensor that is a kernel's buffer has the same index as the buffer.
void AddNodes(v1::Workload& workload, const AnchorNode& anchor, const std::vector<std::string>& epilogue) {
  const v1::DataType sum = AccumulatorType(anchor.dtype);
  for (const std::string& name : epilogue) {
    if (name == "bias") {
      AddTensor(workload, "bias", {anchor.bias_extent}, sum, anchor.bias_layout, v1::TENSOR_ROLE_CONSTANT);
    }
  }
  AddTensor(workload, "output", anchor.output_shape, sum, anchor.output_layout, v1::TENSOR_ROLE_OUTPUT);
  v1::OperatorNode& node = *workload.add_nodes();
  node.set_kind(anchor.kind);
  for (const std::string& input : anchor.inputs) node.add_inputs(input);
  for (const auto& [name, value] : anchor.attributes) {
    v1::Attribute& attribute = *node.add_attributes();
    attribute.set_name(name);
    attribute.set_value(value);
  }
  std::string produced = epilogue.empty() ? "output" : "sum";
  node.set_output(produced);
  for (size_t i = 0; i < epilogue.size(); ++i) {
    AddTensor(workload, produced, anchor.output_shape, sum, anchor.output_layout, v1::TENSOR_ROLE_UNSPECIFIED);
    v1::OperatorNode& step = *workload.add_nodes();
    step.set_kind(epilogue[i] == "bias" ? "bias_add" : "relu");
    step.add_inputs(produced);
    if (epilogue[i] == "bias") step.add_inputs("bias");
    produced = i + 1 == epilogue.size() ? "output" : epilogue[i] == "bias" ? "biased" : "rectified";
    step.set_output(produced);
  }
}

}  // namespace

absl::Status CheckConv2dShape(const Conv2dShape& shape) {
  for (const auto& [name, size, kernel, padding] :
       {std::tuple{"height", shape.h, shape.kh, shape.ph}, std::tuple{"width", shape.w, shape.kw, shape.pw}}) {
    const int64_t reach = shape.d * (kernel - 1) + 1;
    if (reach > size + 2 * padding) {
      return absl::InvalidArgumentError(absl::StrCat("the kernel's ", name, " ", kernel, " (", reach, " with dilation ",
                                                     shape.d, ") exceeds the padded input's ", size, " + 2 * ",
                                                     padding));
    }
  }
  constexpr int64_t kBlockSlack = 32;  // channels are rounded up to a block
  TF_RETURN_IF_ERROR(CheckTensor("data", {shape.n, shape.ci + kBlockSlack, shape.h, shape.w}));
  TF_RETURN_IF_ERROR(
      CheckTensor("padded data", {shape.n, shape.ci + kBlockSlack, shape.h + 2 * shape.ph, shape.w + 2 * shape.pw}));
  TF_RETURN_IF_ERROR(CheckTensor(
      "weight", {shape.co + kBlockSlack, shape.depthwise ? 1 : shape.ci + kBlockSlack, shape.kh, shape.kw}));
  TF_RETURN_IF_ERROR(
      CheckTensor("output", {shape.n, shape.co + kBlockSlack, shape.OutputHeight(), shape.OutputWidth()}));
  return CheckReduction({shape.depthwise ? 1 : shape.ci, shape.kh, shape.kw}, shape.dtype);
}

absl::Status CheckMatmulShape(const MatmulShape& shape) {
  TF_RETURN_IF_ERROR(CheckTensor("a", {shape.batch, shape.m, shape.k}));
  TF_RETURN_IF_ERROR(CheckTensor("b", {shape.batch, shape.k, shape.n}));
  TF_RETURN_IF_ERROR(CheckTensor("output", {shape.batch, shape.m, shape.n}));
  return CheckReduction({shape.k}, shape.dtype);
}

absl::StatusOr<v1::Workload> BuildConv2dWorkload(const Conv2dShape& shape, absl::string_view input_layout,
                                                 absl::string_view output_layout,
                                                 const std::vector<std::string>& epilogue) {
  TF_RETURN_IF_ERROR(CheckConv2dShape(shape));
  for (const absl::string_view layout : {input_layout, output_layout}) {
    if (!layout.empty()) TF_RETURN_IF_ERROR(ChannelBlockOf(layout, shape.co).status());
  }
  v1::Workload workload;
  AddTensor(workload, "data", {shape.n, shape.ci, shape.h, shape.w}, shape.dtype, input_layout, v1::TENSOR_ROLE_INPUT);
  AddTensor(workload, "weight", {shape.co, shape.depthwise ? 1 : shape.ci, shape.kh, shape.kw}, shape.dtype, "OIHW",
            v1::TENSOR_ROLE_CONSTANT);
  AddNodes(workload,
           {.kind = shape.depthwise ? "depthwise_conv2d" : "conv2d",
            .dtype = shape.dtype,
            .inputs = {"data", "weight"},
            .attributes = {{"d", shape.d}, {"ph", shape.ph}, {"pw", shape.pw}, {"sh", shape.sh}, {"sw", shape.sw}},
            .output_shape = {shape.n, shape.co, shape.OutputHeight(), shape.OutputWidth()},
            .output_layout = std::string(output_layout),
            .bias_extent = shape.co,
            .bias_layout = "O"},
           epilogue);
  return workload;
}

absl::StatusOr<v1::Workload> BuildMatmulWorkload(const MatmulShape& shape, const std::vector<std::string>& epilogue) {
  TF_RETURN_IF_ERROR(CheckMatmulShape(shape));
  v1::Workload workload;
  if (shape.constant_b) {
    AddTensor(workload, "data", {shape.m, shape.k}, shape.dtype, "MK", v1::TENSOR_ROLE_INPUT);
    AddTensor(workload, "weight", {shape.n, shape.k}, shape.dtype, "NK", v1::TENSOR_ROLE_CONSTANT);
    AddNodes(workload,
             {.kind = "dense",
              .dtype = shape.dtype,
              .inputs = {"data", "weight"},
              .output_shape = {shape.m, shape.n},
              .output_layout = "MN",
              .bias_extent = shape.n,
              .bias_layout = "N"},
             epilogue);
    return workload;
  }
  const auto matrix = [&](int64_t rows, int64_t columns, bool transposed) {
    return transposed ? std::vector<int64_t>{shape.batch, columns, rows}
                      : std::vector<int64_t>{shape.batch, rows, columns};
  };
  AddTensor(workload, "a", matrix(shape.m, shape.k, shape.ta), shape.dtype, shape.ta ? "BKM" : "BMK",
            v1::TENSOR_ROLE_INPUT);
  AddTensor(workload, "b", matrix(shape.k, shape.n, shape.tb), shape.dtype, shape.tb ? "BNK" : "BKN",
            v1::TENSOR_ROLE_INPUT);
  AddNodes(workload,
           {.kind = "matmul",
            .dtype = shape.dtype,
            .inputs = {"a", "b"},
            .attributes = {{"ta", shape.ta}, {"tb", shape.tb}},
            .output_shape = {shape.batch, shape.m, shape.n},
            .output_layout = "BMN",
            .bias_extent = shape.n,
            .bias_layout = "N"},
           epilogue);
  return workload;
}

}  // namespace tunefleet::codegen
