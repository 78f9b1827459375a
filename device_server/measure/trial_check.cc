#include "device_server/measure/trial_check.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/fill.h"
#include "common/kernel_abi.h"
#include "common/status_macros.h"
#include "device_server/sandbox/wire.h"

namespace tunefleet::device {
namespace {

constexpr int kMaxKernels = 16;
constexpr uint64_t kMaxTrialBytes = uint64_t{16} << 30;
constexpr uint64_t kMaxRotateBytes = uint64_t{4} << 30;
constexpr uint32_t kMaxThreads = 256;
constexpr int kMaxPaddedAxes = 8;  // each costs time for every element of the buffer

absl::Status CheckBuffers(const v1::ArtifactManifest& manifest, uint64_t* total_bytes) {
  if (manifest.buffers_size() > static_cast<int>(kMaxBuffers)) {
    return absl::InvalidArgumentError(absl::StrCat(manifest.buffers_size(), " buffers, at most ", kMaxBuffers));
  }
  for (const v1::BufferSpec& buffer : manifest.buffers()) {
    if (buffer.role() == v1::BUFFER_ROLE_UNSPECIFIED || !v1::BufferRole_IsValid(buffer.role())) {
      return absl::InvalidArgumentError(absl::StrCat("buffer '", buffer.name(), "' has no role"));
    }
    const uint32_t alignment = buffer.alignment();
    if (alignment > 4096 || (alignment & (alignment - 1)) != 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("buffer '", buffer.name(), "': alignment ", alignment, " is no power of two up to 4096"));
    }
    if (buffer.size_bytes() > kMaxTrialBytes) return absl::InvalidArgumentError("a buffer is over 16 GiB");
    *total_bytes += buffer.size_bytes();
  }
  if (manifest.workspace_bytes() > kMaxTrialBytes) return absl::InvalidArgumentError("the workspace is over 16 GiB");
  *total_bytes += manifest.workspace_bytes();
  return absl::OkStatus();
}

absl::Status CheckElements(const v1::ArtifactManifest& manifest, uint32_t buffer, v1::DataType dtype) {
  const int64_t element = common::DataTypeBytes(dtype);
  if (element == 0 || manifest.buffers(static_cast<int>(buffer)).size_bytes() % element != 0) {
    return absl::InvalidArgumentError(absl::StrCat("buffer ", buffer, " does not hold elements of type ", dtype));
  }
  return absl::OkStatus();
}

absl::Status CheckFill(const v1::BufferFill& fill, const v1::ArtifactManifest& manifest) {
  if (fill.buffer() >= static_cast<uint32_t>(manifest.buffers_size())) {
    return absl::InvalidArgumentError(absl::StrCat("a fill of buffer ", fill.buffer()));
  }
  if (fill.padded_size() > kMaxPaddedAxes) {
    return absl::InvalidArgumentError(absl::StrCat("the fill of buffer ", fill.buffer(), " pads ", fill.padded_size(),
                                                   " axes, at most ", kMaxPaddedAxes));
  }
  TF_RETURN_IF_ERROR(CheckElements(manifest, fill.buffer(), fill.dtype()));
  return common::CheckLattice(fill);
}

absl::Status CheckArtifact(const v1::ArtifactManifest& manifest, uint64_t* total_bytes) {
  if (manifest.code_digest().size() != common::kDigestBytes) return absl::InvalidArgumentError("no code digest");
  if (manifest.format() != v1::CODE_FORMAT_ELF_SHARED) {
    return absl::InvalidArgumentError(absl::StrCat("code format ", manifest.format(), ", expected ELF_SHARED"));
  }
  if (manifest.abi_version() != TF_ABI_VERSION) {
    return absl::InvalidArgumentError(
        absl::StrCat("kernel ABI version ", manifest.abi_version(), ", expected ", TF_ABI_VERSION));
  }
  return CheckBuffers(manifest, total_bytes);
}

// Its buffers are the kernel's, by name; every output without a blob is among them.
absl::Status CheckReference(const v1::Kernel& kernel, uint64_t* total_bytes) {
  TF_RETURN_IF_ERROR(CheckArtifact(kernel.reference(), total_bytes));
  std::set<std::string> outputs;
  for (const v1::BufferSpec& buffer : kernel.reference().buffers()) {
    if (buffer.role() == v1::BUFFER_ROLE_PREPARED) continue;
    const auto& buffers = kernel.manifest().buffers();
    const auto same = std::count_if(buffers.begin(), buffers.end(), [&](const v1::BufferSpec& other) {
      return other.name() == buffer.name() && other.role() == buffer.role() &&
             other.size_bytes() == buffer.size_bytes();
    });
    if (same != 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("the reference's buffer '", buffer.name(), "' is not one of the kernel's"));
    }
    if (buffer.role() == v1::BUFFER_ROLE_OUTPUT) outputs.insert(buffer.name());
  }
  for (const v1::OutputCheck& check : kernel.checks()) {
    const auto& buffers = kernel.manifest().buffers();
    const bool known = check.buffer() < static_cast<uint32_t>(buffers.size()) &&
                       outputs.contains(buffers.at(static_cast<int>(check.buffer())).name());
    if (check.reference_digest().empty() && !known) {
      return absl::InvalidArgumentError(absl::StrCat("the check of buffer ", check.buffer(), " has no reference"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckKernel(const v1::Kernel& kernel, uint64_t* total_bytes) {
  const v1::ArtifactManifest& manifest = kernel.manifest();
  TF_RETURN_IF_ERROR(CheckArtifact(manifest, total_bytes));
  if (kernel.has_reference()) TF_RETURN_IF_ERROR(CheckReference(kernel, total_bytes));
  const uint32_t count = static_cast<uint32_t>(manifest.buffers_size());
  std::set<uint32_t> filled, second, checked;
  for (const v1::BufferFill& fill : kernel.fills()) {
    TF_RETURN_IF_ERROR(CheckFill(fill, manifest));
    filled.insert(fill.buffer());
  }
  for (const v1::BufferFill& fill : kernel.second_fills()) {
    TF_RETURN_IF_ERROR(CheckFill(fill, manifest));
    if (!filled.contains(fill.buffer()) || !second.insert(fill.buffer()).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("a second fill of buffer ", fill.buffer(), " without a first one"));
    }
  }
  for (const v1::OutputCheck& check : kernel.checks()) {
    if (check.buffer() >= count) return absl::InvalidArgumentError(absl::StrCat("a check of buffer ", check.buffer()));
    TF_RETURN_IF_ERROR(CheckElements(manifest, check.buffer(), check.dtype()));
    const bool on_device = kernel.has_reference() && check.reference_digest().empty();
    if (check.reference_digest().size() != common::kDigestBytes && !on_device) {
      return absl::InvalidArgumentError(absl::StrCat("the check of buffer ", check.buffer(), " has no reference"));
    }
    if (check.second_reference_digest().size() != (second.empty() || on_device ? 0 : common::kDigestBytes)) {
      return absl::InvalidArgumentError(absl::StrCat("the check of buffer ", check.buffer(),
                                                     " has a second reference where there are no second fills ",
                                                     "or the device computes it, or none where there are"));
    }
    if (!(check.absolute() >= 0) || !(check.relative() >= 0)) {
      return absl::InvalidArgumentError(absl::StrCat("the tolerance of buffer ", check.buffer(), " is negative"));
    }
    checked.insert(check.buffer());
  }
  for (uint32_t i = 0; i < count; ++i) {
    const v1::BufferSpec& buffer = manifest.buffers(static_cast<int>(i));
    const bool is_source = buffer.role() == v1::BUFFER_ROLE_INPUT || buffer.role() == v1::BUFFER_ROLE_CONSTANT;
    if (is_source != filled.contains(i)) {
      return absl::InvalidArgumentError(
          absl::StrCat("buffer '", buffer.name(), "' ", is_source ? "has no fill" : "is filled but is no input"));
    }
    if ((buffer.role() == v1::BUFFER_ROLE_OUTPUT) != checked.contains(i)) {
      return absl::InvalidArgumentError(
          absl::StrCat("buffer '", buffer.name(), "': every output and nothing else is checked"));
    }
  }
  if (static_cast<size_t>(kernel.fills_size()) != filled.size() ||
      static_cast<size_t>(kernel.checks_size()) != checked.size()) {
    return absl::InvalidArgumentError("a buffer is filled or checked twice");
  }
  if (checked.empty()) return absl::InvalidArgumentError("a kernel without output");
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckTrial(const v1::Trial& trial) {
  if (trial.kernels_size() < 1 || trial.kernels_size() > kMaxKernels) {
    return absl::InvalidArgumentError(absl::StrCat(trial.kernels_size(), " kernels, expected 1 to ", kMaxKernels));
  }
  if (trial.options().threads() > kMaxThreads) {
    return absl::InvalidArgumentError(absl::StrCat(trial.options().threads(), " threads, at most ", kMaxThreads));
  }
  // A kernel that may allocate without bound takes the whole machine with it.
  if (trial.options().memory_limit_bytes() > kMaxTrialBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("a memory limit of ", trial.options().memory_limit_bytes(), " bytes, at most ", kMaxTrialBytes));
  }
  if (!v1::CacheMode_IsValid(trial.options().cache_mode()) || trial.options().rotate_bytes() > kMaxRotateBytes) {
    return absl::InvalidArgumentError(absl::StrCat("cache mode ", trial.options().cache_mode(), " with ",
                                                   trial.options().rotate_bytes(), " bytes of copies, at most ",
                                                   kMaxRotateBytes));
  }
  uint64_t total_bytes = 0;
  for (int i = 0; i < trial.kernels_size(); ++i) {
    if (const absl::Status status = CheckKernel(trial.kernels(i), &total_bytes); !status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("kernel ", i, ": ", status.message()));
    }
  }
  if (total_bytes > kMaxTrialBytes) return absl::InvalidArgumentError("the buffers together are over 16 GiB");
  return absl::OkStatus();
}

std::vector<std::string> BlobsOf(const v1::Trial& trial) {
  std::set<std::string> digests;
  for (const v1::Kernel& kernel : trial.kernels()) {
    digests.insert(kernel.manifest().code_digest());
    if (kernel.has_reference()) digests.insert(kernel.reference().code_digest());
    for (const v1::BufferFill& fill : kernel.fills()) {
      if (fill.source_case() == v1::BufferFill::kBlobDigest) digests.insert(fill.blob_digest());
    }
    for (const v1::BufferFill& fill : kernel.second_fills()) {
      if (fill.source_case() == v1::BufferFill::kBlobDigest) digests.insert(fill.blob_digest());
    }
    for (const v1::OutputCheck& check : kernel.checks()) {
      if (!check.reference_digest().empty()) digests.insert(check.reference_digest());
      if (!check.second_reference_digest().empty()) digests.insert(check.second_reference_digest());
    }
  }
  return {digests.begin(), digests.end()};
}

}  // namespace tunefleet::device
