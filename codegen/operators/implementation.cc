#include "codegen/operators/implementation.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "codegen/operators/blocked.h"
#include "codegen/operators/element_type.h"
#include "codegen/operators/nested_block.h"
#include "codegen/operators/pointwise.h"
#include "codegen/operators/winograd.h"
#include "codegen/operators/workload.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

constexpr absl::string_view kMatmul = "matmul";
constexpr absl::string_view kDirectF64 = "direct.f64";

void GuardInside(const Expr& position, int64_t least, int64_t most, int64_t size, std::vector<Expr>& guard) {
  if (least < 0) guard.push_back(LessEqual(Int(0), position));
  if (most >= size) guard.push_back(Less(position, Int(size)));
}

// An output's store of one product of the operands, each widened to the output's type.
Store AddProduct(const LoopNest& nest, int output, std::vector<Expr> at, const Expr& left, const Expr& right) {
  const ScalarType type = nest.buffers[output].type;
  return Store{output, std::move(at), StoreOp::kAdd, Cast(type, left) * Cast(type, right)};
}

// out[...] += data[...] * weight[...]. Loops, outermost first:
//   n, co (channel, or block of channels), oh, ow, c (lane of the output block; blocked layouts), ci (input channel, or
//   block), kh, kw, l (lane of the input block; blocked input)
// A depthwise convolution has neither ci nor l. Taps on the padding are skipped by the block's guard.
OutputAxes AddConv2d(const Conv2dShape& s, int data, int weight, int output, LoopNest& nest, std::vector<Stmt>& stmts) {
  const int64_t block = s.channel_block == 0 ? 1 : s.channel_block;
  const int64_t in_block = s.input_block == 0 ? 1 : s.input_block;
  const int64_t oh = s.OutputHeight();
  const int64_t ow = s.OutputWidth();
  OutputAxes out{.indices = {"n", "co", "oh", "ow"}, .channel_outer = "co", .block = block, .channels = s.co};
  out.axes = {{"n", s.n}, {"co", (s.co + block - 1) / block}, {"oh", oh}, {"ow", ow}};
  if (s.channel_block != 0) {
    out.axes.push_back({"c", block});
    out.indices.push_back("c");
    out.channel_lane = "c";
  }
  std::vector<Axis> axes = out.axes;
  if (!s.depthwise) axes.push_back({"ci", (s.ci + in_block - 1) / in_block, IterKind::kReduction});
  axes.push_back({"kh", s.kh, IterKind::kReduction});
  axes.push_back({"kw", s.kw, IterKind::kReduction});
  if (!s.depthwise && s.input_block != 0) axes.push_back({"l", in_block, IterKind::kReduction});

  NestedBlock nested(s.depthwise ? "depthwise_conv2d" : "conv2d", "", std::move(axes));
  const Expr ih = nested.At("oh") * Int(s.sh) + nested.At("kh") * Int(s.d) - Int(s.ph);
  const Expr iw = nested.At("ow") * Int(s.sw) + nested.At("kw") * Int(s.d) - Int(s.pw);
  GuardInside(ih, -s.ph, (oh - 1) * s.sh + (s.kh - 1) * s.d - s.ph, s.h, nested.block().guard);
  GuardInside(iw, -s.pw, (ow - 1) * s.sw + (s.kw - 1) * s.d - s.pw, s.w, nested.block().guard);

  const Channel co = ChannelAt(nested.At("co"), nested.At("c"), block, s.co);
  std::vector<Expr> data_at = {nested.At("n"), nested.At(s.depthwise ? "co" : "ci"), ih, iw};
  if (s.input_block != 0) data_at.push_back(nested.At(s.depthwise ? "c" : "l"));
  Channel ci{Int(0), nullptr};
  if (!s.depthwise) ci = ChannelAt(nested.At("ci"), nested.At("l"), in_block, s.ci);
  if (!s.depthwise && s.SummedChannels() % in_block != 0) {  // padding lanes add nothing
    nested.block().guard.push_back(Less(ci.index, Int(s.SummedChannels())));
  }
  const ScalarType type = nest.buffers[output].type;
  const Expr factor = WhereExists(BothHold(co.exists, ci.exists),
                                  LoadOf(nest, weight, {co.index, ci.index, nested.At("kh"), nested.At("kw")}));
  const std::vector<Expr> out_at = nested.AtAll(out.indices);
  nested.block().init = {Store{output, out_at, StoreOp::kAssign, Zero(type)}};
  nested.block().body = {AddProduct(nest, output, out_at, LoadOf(nest, data, data_at), factor)};
  stmts.push_back(nested.Finish(nest));
  return out;
}

// Loops, outermost first: b (batch; not for dense), m, n, k.
OutputAxes AddMatmul(const MatmulShape& s, const std::string& block, int left, int right, int output, LoopNest& nest,
                     std::vector<Stmt>& stmts) {
  OutputAxes out{.channel_outer = s.constant_a ? "m" : "n", .channels = s.constant_a ? s.m : s.n};
  if (!s.constant_b) out.axes.push_back({"b", s.batch});
  out.axes.push_back({"m", s.m});
  out.axes.push_back({"n", s.n});
  for (const Axis& axis : out.axes) out.indices.push_back(axis.name);
  std::vector<Axis> axes = out.axes;
  axes.push_back({"k", s.k, IterKind::kReduction});

  NestedBlock nested(block, "", std::move(axes));
  const ScalarType type = nest.buffers[output].type;
  const auto operand = [&](int buffer, const char* row, const char* column, bool transposed) {
    std::vector<Expr> at = {nested.At(transposed ? column : row), nested.At(transposed ? row : column)};
    const bool batched = !s.constant_b && !(s.constant_a && buffer == left);
    if (batched) at.insert(at.begin(), nested.At("b"));
    return LoadOf(nest, buffer, std::move(at));
  };
  const std::vector<Expr> out_at = nested.AtAll(out.indices);
  nested.block().init = {Store{output, out_at, StoreOp::kAssign, Zero(type)}};
  nested.block().body = {
      AddProduct(nest, output, out_at, operand(left, "m", "k", s.ta), operand(right, "k", "n", s.tb || s.constant_b))};
  stmts.push_back(nested.Finish(nest));
  return out;
}

absl::StatusOr<Role> RoleOf(const v1::Tensor& tensor) {
  switch (tensor.role()) {
    case v1::TENSOR_ROLE_INPUT:
      return Role::kInput;
    case v1::TENSOR_ROLE_CONSTANT:
      return Role::kConstant;
    case v1::TENSOR_ROLE_OUTPUT:
      return Role::kOutput;
    case v1::TENSOR_ROLE_UNSPECIFIED:
      return Role::kTemporary;
    default:
      return absl::InvalidArgumentError(absl::StrCat("tensor '", tensor.name(), "' has no role that is known"));
  }
}

absl::StatusOr<MatmulShape> PointwiseMatmulOf(const v1::Workload& workload) {
  TF_ASSIGN_OR_RETURN(const Conv2dShape shape, Conv2dShapeOf(workload));
  if (const std::optional<MatmulShape> matmul = PointwiseMatmul(shape)) return *matmul;
  return absl::InvalidArgumentError(absl::StrCat("implementation '", kMatmul,
                                                 "' is for conv2d with 1x1 taps, stride 1, no padding and layout NCHW "
                                                 "or NHWC, which the workload is not"));
}

std::string KnownWinograds() {
  std::vector<std::string> names;
  for (const WinogradTransform& transform : WinogradTransforms()) names.push_back(WinogradName(transform));
  return absl::StrJoin(names, ", ");
}

absl::StatusOr<Buffer> BufferOf(const v1::Tensor& tensor, std::vector<int64_t> shape) {
  TF_ASSIGN_OR_RETURN(const Role role, RoleOf(tensor));
  return Buffer{.name = tensor.name(),
                .type = ScalarTypeOf(tensor.dtype()),
                .shape = std::move(shape),
                .role = role,
                .scope = role == Role::kTemporary ? Scope::kWorkspace : Scope::kGlobal};
}

absl::StatusOr<Buffer> BufferOf(const v1::Tensor& tensor) { return BufferOf(tensor, PhysicalShape(tensor)); }

bool IsConvolution(const v1::OperatorNode& anchor) {
  return anchor.kind() == "conv2d" || anchor.kind() == "depthwise_conv2d";
}

// The blocks of the workload, in order, on the buffers that bear its tensors' names. Sets nest.prepare.
absl::StatusOr<std::vector<Stmt>> AddOperators(const v1::Workload& workload, absl::string_view implementation,
                                               LoopNest& nest) {
  const std::optional<WinogradTransform> winograd = FindWinograd(implementation);
  const bool matmul = implementation == kMatmul;
  if (implementation != "direct" && !matmul && !winograd.has_value()) {
    return absl::NotFoundError(absl::StrCat("no implementation '", implementation, "' version 1 (known: direct, ",
                                            kDirectF64, ", matmul, ", KnownWinograds(),
                                            "; blocked<4|8|16|32>. before direct and winograd)"));
  }
  const v1::OperatorNode& anchor = workload.nodes(0);
  const int left = nest.FindBuffer(anchor.inputs(0));
  const int right = nest.FindBuffer(anchor.inputs(1));
  const int output = nest.FindBuffer(anchor.output());
  std::vector<Stmt> stmts;
  OutputAxes out;
  if (IsConvolution(anchor)) {
    TF_ASSIGN_OR_RETURN(const Conv2dShape shape, Conv2dShapeOf(workload));
    if (winograd.has_value() && !WinogradApplies(shape, *winograd)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "implementation '", implementation, "' is for float32 conv2d with 3x3 taps, stride ", winograd->stride,
          ", dilation 1, blocked layouts and no more input channels than its error "
          "bound allows, which the workload is not"));
    }
    if (matmul) {
      TF_ASSIGN_OR_RETURN(const MatmulShape pointwise, PointwiseMatmulOf(workload));
      const bool weight_left = pointwise.constant_a;
      out = AddMatmul(pointwise, anchor.kind(), weight_left ? right : left, weight_left ? left : right, output, nest,
                      stmts);
    } else {
      out = winograd.has_value() ? AddWinograd(shape, *winograd, left, right, output, nest, stmts)
                                 : AddConv2d(shape, left, right, output, nest, stmts);
    }
  } else {
    TF_ASSIGN_OR_RETURN(const MatmulShape shape, MatmulShapeOf(workload));
    if (winograd.has_value() || matmul) {
      return absl::InvalidArgumentError(
          absl::StrCat("implementation '", implementation, "' is for conv2d, not ", anchor.kind()));
    }
    out = AddMatmul(shape, anchor.kind(), left, right, output, nest, stmts);
  }
  for (int i = 1; i < workload.nodes_size(); ++i) {
    const v1::OperatorNode& node = workload.nodes(i);
    stmts.push_back(EpilogueStmt(node, out, nest.FindBuffer(node.inputs(0)), nest.FindBuffer("bias"),
                                 nest.FindBuffer(node.output()), nest));
  }
  return stmts;
}

// The workload on blocks between copies of its input and of its output.
absl::StatusOr<LoopNest> FreshBlockedNest(const v1::Workload& workload, const BlockedImplementation& implementation) {
  TF_ASSIGN_OR_RETURN(const v1::Workload inner, BlockedWorkload(workload, implementation.block));
  LoopNest nest;
  nest.name = workload.nodes(0).kind();
  std::vector<int> copied;   // tensors ...
  std::vector<int> blocked;  // ... and buffers of what the operators see of them
  for (int i = 0; i < workload.tensors_size(); ++i) {
    if (IsCopied(workload.tensors(i), inner.tensors(i))) copied.push_back(i);
    const bool is_copied = !copied.empty() && copied.back() == i;
    TF_ASSIGN_OR_RETURN(Buffer buffer, BufferOf(is_copied ? workload.tensors(i) : inner.tensors(i)));
    if (is_copied) buffer.name.clear();  // the operators find their own by the name
    nest.buffers.push_back(std::move(buffer));
  }
  for (const int i : copied) {
    TF_ASSIGN_OR_RETURN(Buffer buffer, BufferOf(inner.tensors(i)));
    buffer.role = Role::kTemporary;
    buffer.scope = Scope::kWorkspace;
    blocked.push_back(static_cast<int>(nest.buffers.size()));
    nest.buffers.push_back(std::move(buffer));
  }
  TF_ASSIGN_OR_RETURN(std::vector<Stmt> stmts, AddOperators(inner, implementation.inner, nest));
  std::vector<Stmt> all;
  for (size_t i = 0; i < copied.size(); ++i) {
    const v1::Tensor& plain = workload.tensors(copied[i]);
    nest.buffers[copied[i]].name = plain.name();
    nest.buffers[blocked[i]].name = BlockedBuffer(plain.name());
    if (plain.role() == v1::TENSOR_ROLE_INPUT) {
      all.push_back(CopyLayout("pack", plain, copied[i], inner.tensors(copied[i]), blocked[i], nest));
    } else {
      stmts.push_back(CopyLayout("unpack", inner.tensors(copied[i]), blocked[i], plain, copied[i], nest));
    }
  }
  all.insert(all.end(), stmts.begin(), stmts.end());
  nest.run = MakeSeq(std::move(all));
  return nest;
}

// out = in, converted. Loops are over the dimensions of both.
Stmt CopyRounded(int in, int out, const LoopNest& nest) {
  std::vector<Axis> axes;
  for (const int64_t extent : nest.buffers[out].shape) axes.push_back({absl::StrCat("d", axes.size()), extent});
  NestedBlock nested("round", "round_", axes);
  std::vector<Expr> at;
  for (const Axis& axis : axes) at.push_back(nested.At(axis.name));
  nested.block().body = {Store{out, at, StoreOp::kAssign, LoadAs(nest.buffers[out].type, nest, in, at)}};
  return nested.Finish(nest);
}

// The workload with double precision for all that it computes, rounded at the end.
absl::StatusOr<LoopNest> FreshDoubleNest(const v1::Workload& workload) {
  LoopNest nest;
  nest.name = workload.nodes(0).kind();
  int output = -1;
  for (const v1::Tensor& tensor : workload.tensors()) {
    TF_ASSIGN_OR_RETURN(Buffer buffer, BufferOf(tensor));
    if (buffer.role == Role::kTemporary) buffer.type = ScalarType::kFloat64;
    if (buffer.role == Role::kOutput) output = static_cast<int>(nest.buffers.size());
    nest.buffers.push_back(std::move(buffer));
  }
  if (output < 0) return absl::InvalidArgumentError("the workload has no output");
  const int exact = static_cast<int>(nest.buffers.size());
  nest.buffers.push_back(nest.buffers[output]);
  nest.buffers[exact].type = ScalarType::kFloat64;
  nest.buffers[exact].role = Role::kTemporary;
  nest.buffers[exact].scope = Scope::kWorkspace;
  nest.buffers[output].name.clear();  // the operators find the exact one by the name
  TF_ASSIGN_OR_RETURN(std::vector<Stmt> stmts, AddOperators(workload, "direct", nest));
  nest.buffers[output].name = nest.buffers[exact].name;
  nest.buffers[exact].name += "_f64";
  stmts.push_back(CopyRounded(exact, output, nest));
  nest.run = MakeSeq(std::move(stmts));
  return nest;
}

}  // namespace

absl::StatusOr<LoopNest> FreshNest(const v1::Workload& workload, absl::string_view implementation, int version) {
  if (version != 1) {
    return absl::NotFoundError(
        absl::StrCat("no implementation '", implementation, "' version ", version, " (all there are have version 1)"));
  }
  if (workload.nodes_size() == 0) return absl::InvalidArgumentError("the workload has no operator");
  if (const std::optional<BlockedImplementation> blocked = FindBlocked(implementation); blocked.has_value()) {
    return FreshBlockedNest(workload, *blocked);
  }
  if (implementation == kDirectF64) return FreshDoubleNest(workload);
  const bool matrices = implementation == kMatmul;
  if (matrices) TF_RETURN_IF_ERROR(PointwiseMatmulOf(workload).status());
  LoopNest nest;
  nest.name = workload.nodes(0).kind();
  for (const v1::Tensor& tensor : workload.tensors()) {
    TF_ASSIGN_OR_RETURN(Buffer buffer, BufferOf(tensor, matrices ? MatrixShape(tensor) : PhysicalShape(tensor)));
    nest.buffers.push_back(std::move(buffer));
  }
  TF_ASSIGN_OR_RETURN(std::vector<Stmt> stmts, AddOperators(workload, implementation, nest));
  nest.run = MakeSeq(std::move(stmts));
  return nest;
}

}  // namespace tunefleet::codegen
