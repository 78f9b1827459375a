#include "tests/bench/onednn_matmul.h"

#include <dnnl.hpp>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace tunefleet::bench {
namespace {

using dnnl::memory;

struct State {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  dnnl::matmul primitive;
  memory a, b, c;
  std::shared_ptr<GemmOperands> operands;

  void Run() {
    primitive.execute(stream, {{DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_DST, c}});
    stream.wait();
  }
};

// A [batch, rows, columns] matrix in memory as it is, or transposed.
memory::desc Plain(int64_t batch, int64_t rows, int64_t columns, bool transposed) {
  return {
      {batch, rows, columns}, memory::data_type::f32, transposed ? memory::format_tag::acb : memory::format_tag::abc};
}

}  // namespace

absl::StatusOr<Opponent> OneDnnMatmul(std::shared_ptr<GemmOperands> operands) {
  const codegen::MatmulShape& s = operands->shape;
  try {
    const auto state = std::make_shared<State>();
    const memory::desc a = Plain(s.batch, s.m, s.k, s.ta);
    const memory::desc plain_b = Plain(s.batch, s.k, s.n, operands->TransposedB());
    const memory::desc b =
        s.constant_b ? memory::desc({s.batch, s.k, s.n}, memory::data_type::f32, memory::format_tag::any) : plain_b;
    const memory::desc c = Plain(s.batch, s.m, s.n, false);
    const dnnl::matmul::primitive_desc description(dnnl::matmul::desc(a, b, c), state->engine);
    state->primitive = dnnl::matmul(description);
    state->a = memory(a, state->engine, operands->a.get());
    state->b = memory(plain_b, state->engine, operands->b.get());
    state->c = memory(c, state->engine, operands->c.get());
    if (description.weights_desc() != plain_b) {
      memory packed(description.weights_desc(), state->engine);
      dnnl::reorder(state->b, packed).execute(state->stream, state->b, packed);
      state->stream.wait();
      state->b = packed;
    }
    state->operands = std::move(operands);
    state->Run();
    TF_RETURN_IF_ERROR(state->operands->CheckProduct());
    return Opponent{"onednn", description.impl_info_str(), [state] { state->Run(); }};
  } catch (const dnnl::error& error) {
    return absl::InternalError(absl::StrCat("oneDNN: ", error.what()));
  }
}

}  // namespace tunefleet::bench
