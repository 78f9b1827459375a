#include "codegen/operators/blocked.h"

#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "codegen/operators/layout.h"
#include "codegen/operators/nested_block.h"
#include "codegen/operators/workload.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

constexpr absl::string_view kPrefix = "blocked";
constexpr int64_t kFewChannels = 4;

// Channels in a block of a tensor's layout that is known to be one.
int64_t BlockOf(const v1::Tensor& tensor) { return ChannelBlockOf(tensor.layout(), tensor.shape(1)).value_or(0); }

}  // namespace

std::string BlockedName(const BlockedImplementation& implementation) {
  return absl::StrCat(kPrefix, implementation.block, ".", implementation.inner);
}

std::optional<BlockedImplementation> FindBlocked(absl::string_view implementation) {
  BlockedImplementation blocked;
  const size_t dot = implementation.find('.');
  if (!absl::ConsumePrefix(&implementation, kPrefix) || dot == absl::string_view::npos) return std::nullopt;
  const absl::string_view block = implementation.substr(0, dot - kPrefix.size());
  if (!absl::SimpleAtoi(block, &blocked.block) || !ChannelBlockOf(BlockedLayout(blocked.block), 0).ok() ||
      blocked.block == 0) {
    return std::nullopt;
  }
  blocked.inner = std::string(implementation.substr(dot - kPrefix.size() + 1));
  return blocked;
}

absl::StatusOr<v1::Workload> BlockedWorkload(const v1::Workload& workload, int64_t block) {
  TF_ASSIGN_OR_RETURN(const Conv2dShape shape, Conv2dShapeOf(workload));
  if (shape.channel_block != 0 && !shape.channels_last) {
    return absl::InvalidArgumentError("the workload is in blocks of channels already");
  }
  v1::Workload inner = workload;
  for (v1::Tensor& tensor : *inner.mutable_tensors()) {
    if (tensor.role() == v1::TENSOR_ROLE_CONSTANT) continue;
    const bool few = tensor.role() == v1::TENSOR_ROLE_INPUT && !shape.depthwise && shape.ci <= kFewChannels;
    tensor.set_layout(BlockedLayout(few ? 0 : block));
  }
  return inner;
}

bool IsCopied(const v1::Tensor& plain, const v1::Tensor& blocked) {
  const bool argument = plain.role() == v1::TENSOR_ROLE_INPUT || plain.role() == v1::TENSOR_ROLE_OUTPUT;
  return argument && plain.layout() != blocked.layout();
}

std::string BlockedBuffer(absl::string_view tensor) { return absl::StrCat(tensor, "_blocked"); }

Stmt CopyLayout(const std::string& name, const v1::Tensor& from, int from_buffer, const v1::Tensor& to, int to_buffer,
                const LoopNest& nest) {
  const std::vector<int64_t> shape = PhysicalShape(to);
  const int64_t to_block = BlockOf(to);
  const int64_t from_block = BlockOf(from);
  const int64_t channels = to.shape(1);
  std::vector<Axis> axes = {{"n", shape[0]}, {"c", shape[1]}, {"h", shape[2]}, {"w", shape[3]}};
  if (to_block != 0) axes.push_back({"l", to_block});
  NestedBlock nested(name, absl::StrCat(name, "_"), axes);
  const Channel channel =
      to_block == 0 ? Channel{nested.At("c"), nullptr} : ChannelAt(nested.At("c"), nested.At("l"), to_block, channels);
  const bool one_block = from_block >= channels;
  std::vector<Expr> source = {nested.At("n"),
                              from_block == 0 ? channel.index
                              : one_block     ? Int(0)
                                              : FloorDiv(channel.index, Int(from_block)),
                              nested.At("h"), nested.At("w")};
  if (from_block != 0) source.push_back(one_block ? channel.index : FloorMod(channel.index, Int(from_block)));
  std::vector<Expr> target;
  for (const Axis& axis : axes) target.push_back(nested.At(axis.name));
  nested.block().body = {Store{to_buffer, std::move(target), StoreOp::kAssign,
                               WhereExists(channel.exists, LoadOf(nest, from_buffer, std::move(source)))}};
  return nested.Finish(nest);
}

}  // namespace tunefleet::codegen
