// A builder that is a good one twice and then crashes, whatever it is asked to build.
#include <cstdlib>

#include "codegen/llvm/llvm_code_generator.h"
#include "tuner/builder/builder_server.h"
#include "tuner/builder/compile_candidate.h"

int main() {
  tunefleet::codegen::LlvmCodeGenerator generator;
  int served = 0;
  return tunefleet::tuner::ServeBuilds([&](const tunefleet::v1::BuildRequest& request) {
           if (++served == 3) std::abort();
           return tunefleet::tuner::CompileCandidate(request, generator);
         }).ok()
             ? 0
             : 1;
}
