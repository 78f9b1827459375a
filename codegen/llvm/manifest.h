// The manifest of a compiled nest.
#ifndef TUNEFLEET_CODEGEN_LLVM_MANIFEST_H_
#define TUNEFLEET_CODEGEN_LLVM_MANIFEST_H_

#include "absl/strings/string_view.h"
#include "codegen/llvm/llvm_code_generator.h"
#include "codegen/lowering/lower.h"
#include "proto/artifact.pb.h"

namespace tunefleet::codegen {

// Buffers are those that the caller passes, in the order of the nest.
v1::ArtifactManifest MakeManifest(const LoweredNest& lowered, PassPipeline pipeline, absl::string_view code);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LLVM_MANIFEST_H_
