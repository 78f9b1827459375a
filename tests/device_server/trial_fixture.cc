#include "tests/device_server/trial_fixture.h"

#include <fstream>
#include <iterator>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/fill.h"
#include "common/kernel_abi.h"

namespace tunefleet::device {
namespace {

constexpr uint64_t kCount = 1000;
constexpr uint64_t kBytes = kCount * sizeof(float);

std::vector<float> Filled(const v1::BufferFill& fill) {
  std::vector<float> values(kCount);
  const absl::Status status = common::FillBuffer(fill, std::as_writable_bytes(std::span(values)));
  TF_CHECK(status.ok(), status.message());
  return values;
}

}  // namespace

std::string ExpectedOutput(const v1::BufferFill& a_fill, const v1::BufferFill& b_fill) {
  const std::vector<float> a = Filled(a_fill);
  const std::vector<float> b = Filled(b_fill);
  std::string expected(kBytes, '\0');
  for (uint64_t i = 0; i < kCount; ++i) {
    const float value = a[i] + 2 * b[i];
    std::copy_n(reinterpret_cast<const char*>(&value), sizeof(value), expected.data() + i * sizeof(value));
  }
  return expected;
}

std::string KernelCode(const std::string& behaviour) {
  std::ifstream file(absl::StrCat(TUNEFLEET_KERNEL_DIR, "/", behaviour, ".so"), std::ios::binary);
  TF_CHECK(file.good(), absl::StrCat("no test kernel ", behaviour));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

v1::Trial MakeTrial(const std::string& behaviour, TestBlobs* blobs) {
  return MakeTrialOfCode(behaviour, KernelCode(behaviour), blobs);
}

v1::Trial MakeTrialOfCode(const std::string& name, std::string code, TestBlobs* blobs) {
  v1::Trial trial;
  trial.set_trial_id(absl::StrCat("trial-", name));
  v1::Kernel& kernel = *trial.add_kernels();
  v1::ArtifactManifest& manifest = *kernel.mutable_manifest();
  manifest.set_format(v1::CODE_FORMAT_ELF_SHARED);
  manifest.set_abi_version(TF_ABI_VERSION);
  manifest.set_has_prepare(true);
  manifest.set_workspace_bytes(4096);
  manifest.set_code_size_bytes(code.size());
  manifest.set_code_digest(blobs->Put(std::move(code)));
  const std::pair<const char*, v1::BufferRole> buffers[] = {{"a", v1::BUFFER_ROLE_INPUT},
                                                            {"b", v1::BUFFER_ROLE_CONSTANT},
                                                            {"p", v1::BUFFER_ROLE_PREPARED},
                                                            {"c", v1::BUFFER_ROLE_OUTPUT}};
  for (const auto& [buffer_name, role] : buffers) {
    v1::BufferSpec& buffer = *manifest.add_buffers();
    buffer.set_name(buffer_name);
    buffer.set_role(role);
    buffer.set_size_bytes(kBytes);
    buffer.set_alignment(16);
  }
  for (uint32_t i = 0; i < 2; ++i) {
    v1::BufferFill& fill = *kernel.add_fills();
    fill.set_buffer(i);
    fill.set_dtype(v1::DATA_TYPE_FLOAT32);
    fill.set_seed(40 + i);
  }
  v1::OutputCheck& check = *kernel.add_checks();
  check.set_buffer(3);
  check.set_dtype(v1::DATA_TYPE_FLOAT32);
  check.set_reference_digest(blobs->Put(ExpectedOutput(kernel.fills(0), kernel.fills(1))));
  check.set_absolute(1e-5);
  v1::MeasureOptions& options = *trial.mutable_options();
  options.mutable_kernel_timeout()->set_seconds(1);
  options.mutable_load_timeout()->set_seconds(1);
  options.mutable_min_sample_time()->set_nanos(200'000);
  options.set_memory_limit_bytes(16 << 20);
  return trial;
}

}  // namespace tunefleet::device
