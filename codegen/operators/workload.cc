#include "codegen/operators/workload.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "codegen/operators/build_workload.h"
#include "codegen/operators/layout.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("malformed workload: ", what));
}

const v1::Tensor* FindTensor(const v1::Workload& workload, absl::string_view name) {
  for (const v1::Tensor& tensor : workload.tensors()) {
    if (tensor.name() == name) return &tensor;
  }
  return nullptr;
}

int64_t AttributeOf(const v1::OperatorNode& node, absl::string_view name, int64_t fallback) {
  for (const v1::Attribute& attribute : node.attributes()) {
    if (attribute.name() == name) return attribute.value();
  }
  return fallback;
}

absl::StatusOr<std::vector<std::string>> EpilogueOf(const v1::Workload& workload) {
  std::vector<std::string> epilogue;
  for (int i = 1; i < workload.nodes_size(); ++i) {
    const std::string& kind = workload.nodes(i).kind();
    if (kind != "bias_add" && kind != "relu") {
      return Malformed(absl::StrCat("'", kind, "' is no epilogue (known: bias_add, relu)"));
    }
    epilogue.push_back(kind == "relu" ? "relu" : "bias");
    if (std::count(epilogue.begin(), epilogue.end(), epilogue.back()) > 1) {
      return Malformed(absl::StrCat("epilogue '", kind, "' twice"));
    }
  }
  return epilogue;
}

bool AllPositive(std::initializer_list<int64_t> values) {
  return std::all_of(values.begin(), values.end(), [](int64_t value) { return value > 0 && value < (1 << 24) + 1; });
}

bool IsConv2d(const v1::OperatorNode& node) { return node.kind() == "conv2d" || node.kind() == "depthwise_conv2d"; }

struct AnchorTensors {
  const v1::OperatorNode* node;
  const v1::Tensor* left;
  const v1::Tensor* right;
  const v1::Tensor* output;
};

absl::StatusOr<AnchorTensors> AnchorOf(const v1::Workload& workload, int rank_left, int rank_right, int rank_output) {
  const v1::OperatorNode& node = workload.nodes(0);
  if (node.inputs_size() != 2) return Malformed(absl::StrCat(node.kind(), " must have two inputs"));
  AnchorTensors anchor{&node, FindTensor(workload, node.inputs(0)), FindTensor(workload, node.inputs(1)),
                       FindTensor(workload, node.output())};
  if (anchor.left == nullptr || anchor.right == nullptr || anchor.output == nullptr) {
    return Malformed(absl::StrCat(node.kind(), " names a tensor that is not declared"));
  }
  if (anchor.left->shape_size() != rank_left || anchor.right->shape_size() != rank_right ||
      anchor.output->shape_size() != rank_output) {
    return Malformed(absl::StrCat("a tensor of ", node.kind(), " has a wrong number of dimensions"));
  }
  return anchor;
}

// The shape that the anchor's tensors and attributes spell; layouts aside.
absl::StatusOr<Conv2dShape> Conv2dDimensions(const v1::Workload& workload) {
  if (workload.nodes_size() == 0 || !IsConv2d(workload.nodes(0))) return Malformed("the anchor is no convolution");
  TF_ASSIGN_OR_RETURN(const AnchorTensors anchor, AnchorOf(workload, 4, 4, 4));
  const v1::Tensor& data = *anchor.left;
  const v1::Tensor& weight = *anchor.right;
  Conv2dShape shape{};
  shape.n = data.shape(0);
  shape.ci = data.shape(1);
  shape.h = data.shape(2);
  shape.w = data.shape(3);
  shape.co = weight.shape(0);
  shape.kh = weight.shape(2);
  shape.kw = weight.shape(3);
  shape.sh = AttributeOf(*anchor.node, "sh", 1);
  shape.sw = AttributeOf(*anchor.node, "sw", 1);
  shape.ph = AttributeOf(*anchor.node, "ph", 0);
  shape.pw = AttributeOf(*anchor.node, "pw", 0);
  shape.d = AttributeOf(*anchor.node, "d", 1);
  shape.depthwise = anchor.node->kind() == "depthwise_conv2d";
  shape.dtype = data.dtype();
  if (!AllPositive({shape.n, shape.ci, shape.h, shape.w, shape.co, shape.kh, shape.kw, shape.sh, shape.sw, shape.d,
                    shape.ph + 1, shape.pw + 1})) {
    return Malformed("an extent, stride, padding or dilation of the convolution is out of range");
  }
  TF_RETURN_IF_ERROR(CheckConv2dShape(shape));
  return shape;
}

absl::StatusOr<v1::Workload> Rebuild(const v1::Workload& workload) {
  TF_ASSIGN_OR_RETURN(const std::vector<std::string> epilogue, EpilogueOf(workload));
  if (workload.nodes_size() > 0 && IsConv2d(workload.nodes(0))) {
    TF_ASSIGN_OR_RETURN(const Conv2dShape shape, Conv2dDimensions(workload));
    return BuildConv2dWorkload(shape, FindTensor(workload, workload.nodes(0).inputs(0))->layout(),
                               FindTensor(workload, workload.nodes(0).output())->layout(), epilogue);
  }
  TF_ASSIGN_OR_RETURN(const MatmulShape shape, MatmulShapeOf(workload));
  return BuildMatmulWorkload(shape, epilogue);
}

// Fields that the shape functions do not read (names, roles, dtypes, intermediate tensors) must be as ParseOperator
// makes them, so that a workload is its key.
absl::Status CheckCanonical(const v1::Workload& workload) {
  TF_ASSIGN_OR_RETURN(const v1::Workload rebuilt, Rebuild(workload));
  if (rebuilt.SerializeAsString() != workload.SerializeAsString()) {
    return Malformed(absl::StrCat("its tensors do not agree with its operator ", WorkloadKey(rebuilt)));
  }
  return absl::OkStatus();
}

void AppendArgument(std::string& text, absl::string_view name, int64_t value, int64_t fallback) {
  if (value == fallback) return;
  absl::StrAppend(&text, text.back() == '(' ? "" : ",", name, "=", value);
}

void AppendDtype(std::string& text, v1::DataType dtype) {
  if (dtype == v1::DATA_TYPE_INT8) absl::StrAppend(&text, ",dtype=int8");
}

bool HasFeature(const v1::Target& target, absl::string_view feature) {
  return std::find(target.features().begin(), target.features().end(), feature) != target.features().end();
}

// As many channels as a vector has 32-bit lanes; with dot products, as it has int8.
int64_t ChannelsInBlock(v1::DataType dtype, const v1::Target& target) {
  if (HasFeature(target, "avx512f")) return 16;
  if (HasFeature(target, "avx2")) return 8;
  return dtype == v1::DATA_TYPE_INT8 && HasFeature(target, "dotprod") ? 16 : 4;
}

}  // namespace

int64_t Conv2dShape::OutputHeight() const { return (h + 2 * ph - d * (kh - 1) - 1) / sh + 1; }
int64_t Conv2dShape::OutputWidth() const { return (w + 2 * pw - d * (kw - 1) - 1) / sw + 1; }

absl::StatusOr<Conv2dShape> Conv2dShapeOf(const v1::Workload& workload) {
  TF_ASSIGN_OR_RETURN(Conv2dShape shape, Conv2dDimensions(workload));
  TF_RETURN_IF_ERROR(CheckCanonical(workload));
  const v1::OperatorNode& node = workload.nodes(0);
  const std::string& in = FindTensor(workload, node.inputs(0))->layout();
  const std::string& out = FindTensor(workload, node.output())->layout();
  TF_ASSIGN_OR_RETURN(shape.input_block, ChannelBlockOf(in, shape.ci));
  TF_ASSIGN_OR_RETURN(shape.channel_block, ChannelBlockOf(out, shape.co));
  shape.channels_last = out == "NHWC";
  if (in != out && (shape.input_block != 0 || shape.channels_last || shape.depthwise)) {
    return absl::InvalidArgumentError(absl::StrCat("layouts ", in, " in and ", out,
                                                   " out do not go together (known: the same, or NCHW into blocks)"));
  }
  return shape;
}

absl::StatusOr<MatmulShape> MatmulShapeOf(const v1::Workload& workload) {
  if (workload.nodes_size() == 0) return Malformed("no operator");
  const std::string& kind = workload.nodes(0).kind();
  MatmulShape shape{};
  shape.batch = 1;
  if (kind == "dense") {
    TF_ASSIGN_OR_RETURN(const AnchorTensors anchor, AnchorOf(workload, 2, 2, 2));
    shape.dtype = anchor.left->dtype();
    shape.m = anchor.left->shape(0);
    shape.k = anchor.left->shape(1);
    shape.n = anchor.right->shape(0);
    shape.constant_b = true;
  } else if (kind == "matmul") {
    TF_ASSIGN_OR_RETURN(const AnchorTensors anchor, AnchorOf(workload, 3, 3, 3));
    shape.dtype = anchor.left->dtype();
    shape.batch = anchor.output->shape(0);
    shape.m = anchor.output->shape(1);
    shape.n = anchor.output->shape(2);
    shape.ta = AttributeOf(*anchor.node, "ta", 0) != 0;
    shape.tb = AttributeOf(*anchor.node, "tb", 0) != 0;
    shape.k = anchor.left->shape(shape.ta ? 1 : 2);
  } else {
    return Malformed(absl::StrCat("the anchor '", kind, "' is no matrix multiplication"));
  }
  if (!AllPositive({shape.batch, shape.m, shape.n, shape.k})) return Malformed("an extent of a matrix is out of range");
  TF_RETURN_IF_ERROR(CheckMatmulShape(shape));
  return shape;
}

absl::StatusOr<v1::Workload> ResolveLayouts(const v1::Workload& workload, const v1::Target& target) {
  v1::Workload resolved = workload;
  if (workload.nodes_size() > 0 && IsConv2d(workload.nodes(0))) {
    TF_ASSIGN_OR_RETURN(const Conv2dShape shape, Conv2dDimensions(workload));
    const int64_t block = ChannelsInBlock(shape.dtype, target);
    constexpr int64_t kImageChannels = 4;  // an input image stays plain: blocks would be mostly padding
    for (v1::Tensor& tensor : *resolved.mutable_tensors()) {
      if (!tensor.layout().empty()) continue;
      const bool image = tensor.role() == v1::TENSOR_ROLE_INPUT && !shape.depthwise && shape.ci <= kImageChannels;
      tensor.set_layout(BlockedLayout(image ? 0 : block));
    }
    TF_RETURN_IF_ERROR(Conv2dShapeOf(resolved).status());
    return resolved;
  }
  TF_RETURN_IF_ERROR(MatmulShapeOf(resolved).status());
  TF_RETURN_IF_ERROR(CheckCanonical(resolved));
  return resolved;
}

std::string WorkloadKey(const v1::Workload& workload) {
  if (workload.nodes_size() == 0) return "";
  const v1::OperatorNode& node = workload.nodes(0);
  std::string key = absl::StrCat(node.kind(), "(");
  if (IsConv2d(node)) {
    const absl::StatusOr<Conv2dShape> shape = Conv2dDimensions(workload);
    if (!shape.ok()) return "";
    AppendArgument(key, "n", shape->n, 1);
    AppendArgument(key, "h", shape->h, 0);
    AppendArgument(key, "w", shape->w, 0);
    AppendArgument(key, shape->depthwise ? "c" : "ci", shape->ci, 0);
    AppendArgument(key, "co", shape->depthwise ? 0 : shape->co, 0);
    AppendArgument(key, "kh", shape->kh, 0);
    AppendArgument(key, "kw", shape->kw, 0);
    AppendArgument(key, "sh", shape->sh, 1);
    AppendArgument(key, "sw", shape->sw, 1);
    AppendArgument(key, "ph", shape->ph, 0);
    AppendArgument(key, "pw", shape->pw, 0);
    AppendArgument(key, "d", shape->d, 1);
    AppendDtype(key, shape->dtype);
    const std::string& input_layout = FindTensor(workload, node.inputs(0))->layout();
    const std::string& layout = FindTensor(workload, node.output())->layout();
    if (!layout.empty()) absl::StrAppend(&key, ",layout=", layout);
    if (input_layout != layout) absl::StrAppend(&key, ",in_layout=", input_layout);
  } else {
    const absl::StatusOr<MatmulShape> shape = MatmulShapeOf(workload);
    if (!shape.ok()) return "";
    AppendArgument(key, "batch", shape->batch, 1);
    AppendArgument(key, "m", shape->m, 0);
    AppendArgument(key, "n", shape->n, 0);
    AppendArgument(key, "k", shape->k, 0);
    AppendArgument(key, "ta", shape->ta, 0);
    AppendArgument(key, "tb", shape->tb, 0);
    AppendDtype(key, shape->dtype);
  }
  absl::StrAppend(&key, ")");
  for (int i = 1; i < workload.nodes_size(); ++i) {
    absl::StrAppend(&key, workload.nodes(i).kind() == "relu" ? "+relu" : "+bias");
  }
  return key;
}

double FlopCount(const v1::Workload& workload) {
  if (workload.nodes_size() == 0) return 0;
  double elements = 0;
  double reduction = 0;
  if (IsConv2d(workload.nodes(0))) {
    const absl::StatusOr<Conv2dShape> shape = Conv2dDimensions(workload);
    if (!shape.ok()) return 0;
    elements = static_cast<double>(shape->n) * shape->co * shape->OutputHeight() * shape->OutputWidth();
    reduction = static_cast<double>(shape->depthwise ? 1 : shape->ci) * shape->kh * shape->kw;
  } else {
    const absl::StatusOr<MatmulShape> shape = MatmulShapeOf(workload);
    if (!shape.ok()) return 0;
    elements = static_cast<double>(shape->batch) * shape->m * shape->n;
    reduction = shape->k;
  }
  return elements * (2 * reduction + (workload.nodes_size() - 1));
}

std::vector<int64_t> PhysicalShape(const v1::Tensor& tensor) {
  std::vector<int64_t> shape(tensor.shape().begin(), tensor.shape().end());
  if (shape.size() != 4) return shape;
  const absl::StatusOr<int64_t> block = ChannelBlockOf(tensor.layout(), shape[1]);
  if (!block.ok() || *block == 0) return shape;
  return {shape[0], (shape[1] + *block - 1) / *block, shape[2], shape[3], *block};
}

v1::BufferFill SeededFill(const v1::Tensor& tensor, uint64_t seed) {
  v1::BufferFill fill;
  fill.set_dtype(tensor.dtype());
  fill.set_seed(seed);
  const std::vector<int64_t> shape = PhysicalShape(tensor);
  if (shape.size() == 5 && tensor.shape(1) % shape[4] != 0) {
    v1::PaddedAxis& axis = *fill.add_padded();
    axis.set_outer_stride(shape[2] * shape[3] * shape[4]);
    axis.set_outer_extent(shape[1]);
    axis.set_inner_stride(1);
    axis.set_block(shape[4]);
    axis.set_extent(tensor.shape(1));
  }
  return fill;
}

}  // namespace tunefleet::codegen
