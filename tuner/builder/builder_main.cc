// tunefleet-builder [--turns=FILE]: compiles candidates for the tuner that started it
// (tuner/builder/builder_process.h), in turns with the timing where it shares cores with it (common/turns.h).
#include <unistd.h>

#include <cstdio>
#include <string>

#include "absl/strings/strip.h"
#include "codegen/llvm/llvm_code_generator.h"
#include "common/turns.h"
#include "llvm/Support/ErrorHandling.h"
#include "tuner/builder/builder_process.h"
#include "tuner/builder/builder_server.h"
#include "tuner/builder/compile_candidate.h"

namespace tunefleet::tuner {
namespace {

constexpr absl::string_view kTurns = "--turns=";

// A turn on cores where kernels are timed too; nothing where `turns` is not set. Without it the build goes on: it costs
// the timing, not the kernel.
absl::StatusOr<common::Turn> TakeTurn(const absl::StatusOr<common::Turns>& turns) {
  return turns.ok() ? turns->Work() : turns.status();
}

int Main(int argc, char** argv) {
  absl::string_view argument = argc > 1 ? argv[1] : "";
  absl::StatusOr<common::Turns> turns = absl::NotFoundError("these cores are the builders' own");
  if (absl::ConsumePrefix(&argument, kTurns)) turns = common::Turns::Open(std::string(argument));
  ExitWhenOutOfMemory();
  llvm::install_bad_alloc_error_handler([](void*, const char*, bool) { _exit(kOutOfMemoryExit); });
  codegen::LlvmCodeGenerator light(codegen::PassPipeline::kLight);
  codegen::LlvmCodeGenerator o3(codegen::PassPipeline::kO3);
  const std::string o3_name = codegen::PassPipelineName(codegen::PassPipeline::kO3);
  const absl::Status status = ServeBuilds([&](const v1::BuildRequest& request) {
    const absl::StatusOr<common::Turn> turn = TakeTurn(turns);
    return CompileCandidate(request, request.pass_pipeline() == o3_name ? o3 : light);
  });
  if (status.ok()) return 0;
  std::fprintf(stderr, "tunefleet-builder: %s; it is started by tunefleet, not by hand\n",
               std::string(status.message()).c_str());
  return 2;
}

}  // namespace
}  // namespace tunefleet::tuner

int main(int argc, char** argv) { return tunefleet::tuner::Main(argc, argv); }
