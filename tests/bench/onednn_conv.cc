#include "tests/bench/onednn_conv.h"

#include <cstring>
#include <dnnl.hpp>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tunefleet::bench {
namespace {

using dnnl::memory;

dnnl::algorithm ToOneDnn(OneDnnAlgorithm algorithm) {
  switch (algorithm) {
    case OneDnnAlgorithm::kAuto:
      return dnnl::algorithm::convolution_auto;
    case OneDnnAlgorithm::kDirect:
      return dnnl::algorithm::convolution_direct;
    case OneDnnAlgorithm::kWinograd:
      return dnnl::algorithm::convolution_winograd;
  }
  return dnnl::algorithm::convolution_auto;
}

void Copy(const std::vector<float>& from, memory& to) {
  std::memcpy(to.get_data_handle(), from.data(), from.size() * sizeof(float));
}

}  // namespace

struct OneDnnConv::State {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  dnnl::convolution_forward primitive;
  memory::desc plain_data, plain_weight, plain_output;
  memory data, weight, bias, output;
  bool has_bias = false;
};

OneDnnConv::OneDnnConv(std::unique_ptr<State> state, std::string implementation)
    : state_(std::move(state)), implementation_(std::move(implementation)) {}
OneDnnConv::~OneDnnConv() = default;

absl::StatusOr<std::unique_ptr<OneDnnConv>> OneDnnConv::Create(const codegen::Conv2dShape& shape,
                                                               const OneDnnEpilogue& epilogue,
                                                               OneDnnAlgorithm algorithm, OneDnnLayout layout) {
  using Tag = memory::format_tag;
  constexpr auto kFloat = memory::data_type::f32;
  const memory::dims data_dims{shape.n, shape.ci, shape.h, shape.w};
  const memory::dims output_dims{shape.n, shape.co, shape.OutputHeight(), shape.OutputWidth()};
  const memory::dims weight_dims = shape.depthwise ? memory::dims{shape.co, 1, 1, shape.kh, shape.kw}
                                                   : memory::dims{shape.co, shape.ci, shape.kh, shape.kw};
  const Tag plain = Tag::nchw;
  const Tag plain_weight = shape.depthwise ? Tag::goihw : Tag::oihw;
  try {
    auto state = std::make_unique<State>();
    state->plain_data = memory::desc(data_dims, kFloat, plain);
    state->plain_weight = memory::desc(weight_dims, kFloat, plain_weight);
    state->plain_output = memory::desc(output_dims, kFloat, plain);
    const Tag activation = layout == OneDnnLayout::kAny ? Tag::any : layout == OneDnnLayout::kPlain ? plain : Tag::nhwc;
    // A bias of no elements is none.
    const memory::desc bias = epilogue.bias ? memory::desc({shape.co}, kFloat, Tag::x) : memory::desc();
    const dnnl::convolution_forward::desc description(
        dnnl::prop_kind::forward_inference, ToOneDnn(algorithm), memory::desc(data_dims, kFloat, activation),
        memory::desc(weight_dims, kFloat, Tag::any), bias, memory::desc(output_dims, kFloat, activation),
        {shape.sh, shape.sw}, {shape.d - 1, shape.d - 1}, {shape.ph, shape.pw}, {shape.ph, shape.pw});
    dnnl::post_ops after;
    if (epilogue.relu) after.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
    dnnl::primitive_attr attributes;
    attributes.set_post_ops(after);
    const dnnl::convolution_forward::primitive_desc primitive(description, attributes, state->engine);
    state->primitive = dnnl::convolution_forward(primitive);
    state->data = memory(primitive.src_desc(), state->engine);
    state->weight = memory(primitive.weights_desc(), state->engine);
    state->output = memory(primitive.dst_desc(), state->engine);
    state->has_bias = epilogue.bias;
    if (epilogue.bias) state->bias = memory(primitive.bias_desc(), state->engine);
    std::string implementation = primitive.impl_info_str();
    return std::unique_ptr<OneDnnConv>(new OneDnnConv(std::move(state), std::move(implementation)));
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_unimplemented)
      return absl::UnimplementedError("oneDNN has no kernel of this algorithm here");
    return absl::InternalError(absl::StrCat("oneDNN: ", error.what()));
  }
}

void OneDnnConv::Run() {
  State& s = *state_;
  std::unordered_map<int, memory> arguments = {
      {DNNL_ARG_SRC, s.data}, {DNNL_ARG_WEIGHTS, s.weight}, {DNNL_ARG_DST, s.output}};
  if (s.has_bias) arguments.emplace(DNNL_ARG_BIAS, s.bias);
  s.primitive.execute(s.stream, arguments);
  s.stream.wait();
}

std::vector<float> OneDnnConv::Compute(const std::vector<float>& data, const std::vector<float>& weight,
                                       const std::vector<float>& bias) {
  State& s = *state_;
  memory plain_data(s.plain_data, s.engine), plain_weight(s.plain_weight, s.engine),
      plain_output(s.plain_output, s.engine);
  Copy(data, plain_data);
  Copy(weight, plain_weight);
  if (s.has_bias) Copy(bias, s.bias);
  dnnl::reorder(plain_data, s.data).execute(s.stream, plain_data, s.data);
  dnnl::reorder(plain_weight, s.weight).execute(s.stream, plain_weight, s.weight);
  Run();
  dnnl::reorder(s.output, plain_output).execute(s.stream, s.output, plain_output);
  s.stream.wait();
  const auto* values = static_cast<const float*>(plain_output.get_data_handle());
  return std::vector<float>(values, values + s.plain_output.get_size() / sizeof(float));
}

}  // namespace tunefleet::bench
