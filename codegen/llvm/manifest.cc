#include "codegen/llvm/manifest.h"

#include "absl/strings/str_cat.h"
#include "codegen/ir/element_size.h"
#include "common/check.h"
#include "common/digest.h"
#include "common/kernel_abi.h"
#include "llvm/Config/llvm-config.h"

namespace tunefleet::codegen {
namespace {

constexpr uint32_t kBufferAlignment = 64;
constexpr int kGeneratorVersion = 2;  // raised when the same nest gives other code

v1::BufferRole ToProto(Role role) {
  switch (role) {
    case Role::kInput:
      return v1::BUFFER_ROLE_INPUT;
    case Role::kConstant:
      return v1::BUFFER_ROLE_CONSTANT;
    case Role::kPrepared:
      return v1::BUFFER_ROLE_PREPARED;
    case Role::kOutput:
      return v1::BUFFER_ROLE_OUTPUT;
    case Role::kTemporary:
    case Role::kLiteral:
      break;
  }
  TF_CHECK(false, "temporaries and literals are not the caller's");
  return v1::BUFFER_ROLE_UNSPECIFIED;
}

}  // namespace

v1::ArtifactManifest MakeManifest(const LoweredNest& lowered, PassPipeline pipeline, absl::string_view code) {
  v1::ArtifactManifest manifest;
  manifest.set_code_digest(common::Sha256(code));
  manifest.set_code_size_bytes(code.size());
  manifest.set_format(v1::CODE_FORMAT_ELF_SHARED);
  manifest.set_abi_version(TF_ABI_VERSION);
  for (const Buffer& buffer : lowered.nest.buffers) {
    if (!buffer.IsArgument()) continue;
    v1::BufferSpec* spec = manifest.add_buffers();
    spec->set_name(buffer.name);
    spec->set_role(ToProto(buffer.role));
    spec->set_size_bytes(static_cast<uint64_t>(BufferBytes(buffer)));
    spec->set_alignment(kBufferAlignment);
  }
  manifest.set_workspace_bytes(static_cast<uint64_t>(lowered.workspace_bytes));
  manifest.set_has_prepare(lowered.nest.prepare != nullptr);
  manifest.set_codegen(absl::StrCat("llvm-", LLVM_VERSION_STRING, "/", kGeneratorVersion));
  manifest.set_pass_pipeline(PassPipelineName(pipeline));
  return manifest;
}

}  // namespace tunefleet::codegen
