// tunefleet-builder: compiles candidates for the tuner that started it (tuner/builder/builder_process.h).
#include <unistd.h>

#include <cstdio>
#include <string>

#include "codegen/llvm/llvm_code_generator.h"
#include "llvm/Support/ErrorHandling.h"
#include "tuner/builder/builder_process.h"
#include "tuner/builder/builder_server.h"
#include "tuner/builder/compile_candidate.h"

namespace tunefleet::tuner {
namespace {

int Main() {
  ExitWhenOutOfMemory();
  llvm::install_bad_alloc_error_handler([](void*, const char*, bool) { _exit(kOutOfMemoryExit); });
  codegen::LlvmCodeGenerator light(codegen::PassPipeline::kLight);
  codegen::LlvmCodeGenerator o3(codegen::PassPipeline::kO3);
  const std::string o3_name = codegen::PassPipelineName(codegen::PassPipeline::kO3);
  const absl::Status status = ServeBuilds([&](const v1::BuildRequest& request) {
    return CompileCandidate(request, request.pass_pipeline() == o3_name ? o3 : light);
  });
  if (status.ok()) return 0;
  std::fprintf(stderr, "tunefleet-builder: %s; it is started by tunefleet, not by hand\n",
               std::string(status.message()).c_str());
  return 2;
}

}  // namespace
}  // namespace tunefleet::tuner

int main() { return tunefleet::tuner::Main(); }
