// Times the hand-written convolution under several tilings; a development tool, not a test.
//
//   kernel_bench [--dump=DIR] [--o3] [--cpu=NAME]     DIR receives the shared objects and the IR
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <string>
#include <vector>

#include "codegen/llvm/llvm_code_generator.h"
#include "tests/codegen/llvm/loaded_kernel.h"
#include "tests/codegen/lowering/conv_nest.h"

namespace tunefleet::codegen {
namespace {

double Seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Of this process: other programs on the machine do not count.
double CpuSeconds() {
  timespec now = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

struct Options {
  PassPipeline pipeline = PassPipeline::kLight;
  v1::Target target = HostTarget();
  std::string dump;
};

void Time(const std::string& name, const ConvShape& shape, const ConvTiling& tiling, const Options& options) {
  const LoopNest nest = ConvNest(shape, tiling);
  LlvmCodeGenerator generator(options.pipeline);
  const double start = CpuSeconds();
  const absl::StatusOr<Artifact> artifact = generator.Generate(nest, options.target);
  const double compile = CpuSeconds() - start;
  if (!artifact.ok()) {
    std::printf("%-24s %s\n", name.c_str(), artifact.status().ToString().c_str());
    return;
  }
  if (!options.dump.empty()) {
    std::ofstream(options.dump + "/" + name + ".so", std::ios::binary) << artifact->code;
    std::ofstream(options.dump + "/" + name + ".ll") << generator.PrintIr(nest, options.target).value_or("");
  }
  const LoadedKernel kernel(*artifact);
  std::vector<AlignedBytes> buffers;
  std::vector<void*> pointers;
  for (const v1::BufferSpec& spec : artifact->manifest.buffers()) {
    buffers.emplace_back(spec.size_bytes(), false);
    float* values = static_cast<float*>(buffers.back().data());
    for (size_t i = 0; i < spec.size_bytes() / sizeof(float); ++i) values[i] = static_cast<float>(i % 7) - 3;
    pointers.push_back(values);
  }
  const AlignedBytes workspace(artifact->manifest.workspace_bytes() + 64, false);
  double best = 1e9;
  for (int i = 0; i < 300; ++i) {
    const double begin = Seconds();
    kernel.run()(pointers.data(), workspace.data(), nullptr);
    best = std::min(best, Seconds() - begin);
  }
  std::printf("%-24s %8.1f us %8.1f GFLOP/s   compiled in %5.1f ms, %zu bytes\n", name.c_str(), best * 1e6,
              shape.Flops() / best * 1e-9, compile * 1e3, artifact->code.size());
}

}  // namespace
}  // namespace tunefleet::codegen

int main(int argc, char** argv) {
  using namespace tunefleet::codegen;  // NOLINT: a tool's main
  Options options;
  for (int i = 1; i < argc; ++i) {
    if (std::strncmp(argv[i], "--dump=", 7) == 0) options.dump = argv[i] + 7;
    if (std::strcmp(argv[i], "--o3") == 0) options.pipeline = PassPipeline::kO3;
    if (std::strncmp(argv[i], "--cpu=", 6) == 0) {
      options.target.set_cpu(argv[i] + 6);
      options.target.clear_features();
    }
  }
  const ConvShape shape;
  Time("2x14", shape, {}, options);
  Time("2x14.ci4", shape, {.unroll_ci = 4}, options);
  Time("2x14.kw_loop", shape, {.kw = LoopKind::kSerial}, options);
  Time("2x14.kw_loop.ci4", shape, {.kw = LoopKind::kSerial, .unroll_ci = 4}, options);
  Time("2x14.kw_loop.ci16", shape, {.kw = LoopKind::kSerial, .unroll_ci = 16}, options);
  Time("2x14.guarded", shape, {.tiles = LoopKind::kSerial}, options);
  Time("4x7", shape, {.tile_co = 4, .tile_w = 7}, options);
  Time("4x7.ci4", shape, {.tile_co = 4, .tile_w = 7, .unroll_ci = 4}, options);
  Time("4x7.kw_loop.ci16", shape, {.tile_co = 4, .tile_w = 7, .kw = LoopKind::kSerial, .unroll_ci = 16}, options);
  Time("1x28", shape, {.tile_co = 1, .tile_w = 28}, options);
  Time("1x28.ci4", shape, {.tile_co = 1, .tile_w = 28, .unroll_ci = 4}, options);
  Time("1x28.kw_loop.ci16", shape, {.tile_co = 1, .tile_w = 28, .kw = LoopKind::kSerial, .unroll_ci = 16}, options);
  const ConvShape narrow{.blocks_in = 16, .blocks_out = 16, .size = 28, .lanes = 8};
  Time("avx2.2x4", narrow, {.tile_co = 2, .tile_w = 4}, options);
  Time("avx2.4x2", narrow, {.tile_co = 4, .tile_w = 2}, options);
  Time("avx2.1x14", narrow, {.tile_co = 1, .tile_w = 14}, options);
  Time("avx2.2x7", narrow, {.tile_co = 2, .tile_w = 7}, options);
  return 0;
}
