#include "device_server/builtin/builtin_kernels.h"

#include <algorithm>
#include <span>
#include <utility>

#include "common/check.h"
#include "common/digest.h"
#include "common/fill.h"
#include "common/kernel_abi.h"

// The shared object, byte for byte, in this program.
asm(".section .rodata\n"
    ".balign 16\n"
    ".global tunefleet_builtin_kernel_begin\n"
    ".global tunefleet_builtin_kernel_end\n"
    "tunefleet_builtin_kernel_begin:\n"
    ".incbin \"" TUNEFLEET_BUILTIN_KERNEL
    "\"\n"
    "tunefleet_builtin_kernel_end:\n"
    ".previous\n");

extern "C" {
extern const char tunefleet_builtin_kernel_begin[];
extern const char tunefleet_builtin_kernel_end[];
int32_t tunefleet_builtin_run(void* const* buffers, void* workspace, const tf_runtime* runtime);
}

namespace tunefleet::device {
namespace {

constexpr uint32_t kOutputFloats = 64;
constexpr uint64_t kDataSeed = 11;
constexpr double kTolerance =
    1e-3;  // sums of up to a million floats under 1, in another order where compiled differently

std::string BytesOf(std::span<const std::byte> bytes) {
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

v1::BufferFill DataFill() {
  v1::BufferFill fill;
  fill.set_buffer(1);
  fill.set_dtype(v1::DATA_TYPE_FLOAT32);
  fill.set_seed(kDataSeed);
  return fill;
}

// Of the second buffer.
uint64_t DataFloats(const BuiltinKernel& builtin) {
  if (builtin.kind == BuiltinKind::kStream) return builtin.size;
  return builtin.kind == BuiltinKind::kProduct ? uint64_t{2} * builtin.size * builtin.size : 1;
}

v1::ArtifactManifest MakeManifest(uint64_t data_floats, MemoryBlobs* blobs) {
  v1::ArtifactManifest manifest;
  const std::string code(tunefleet_builtin_kernel_begin, tunefleet_builtin_kernel_end);
  manifest.set_code_digest(blobs->Put(code));
  manifest.set_code_size_bytes(code.size());
  manifest.set_format(v1::CODE_FORMAT_ELF_SHARED);
  manifest.set_abi_version(TF_ABI_VERSION);
  manifest.set_codegen("builtin");
  const std::pair<const char*, uint64_t> buffers[] = {
      {"order", 4 * sizeof(uint32_t)}, {"data", data_floats * sizeof(float)}, {"sums", kOutputFloats * sizeof(float)}};
  for (const auto& [name, size_bytes] : buffers) {
    v1::BufferSpec& buffer = *manifest.add_buffers();
    buffer.set_name(name);
    buffer.set_role(v1::BUFFER_ROLE_INPUT);
    buffer.set_size_bytes(size_bytes);
    buffer.set_alignment(64);
  }
  manifest.mutable_buffers(2)->set_role(v1::BUFFER_ROLE_OUTPUT);
  return manifest;
}

v1::Kernel MakeKernel(const BuiltinKernel& builtin, MemoryBlobs* blobs) {
  v1::Kernel kernel;
  std::vector<float> data(DataFloats(builtin));
  *kernel.mutable_manifest() = MakeManifest(data.size(), blobs);
  const absl::Status filled = common::FillBuffer(DataFill(), std::as_writable_bytes(std::span(data)));
  TF_CHECK(filled.ok(), filled.message());
  uint32_t order[4] = {static_cast<uint32_t>(builtin.kind), builtin.size, 0, 0};
  v1::BufferFill& order_fill = *kernel.add_fills();
  order_fill.set_buffer(0);
  order_fill.set_dtype(v1::DATA_TYPE_INT32);
  order_fill.set_blob_digest(blobs->Put(BytesOf(std::as_bytes(std::span(order)))));
  *kernel.add_fills() = DataFill();
  std::vector<float> sums(kOutputFloats);
  void* const buffers[] = {order, data.data(), sums.data()};
  TF_CHECK(tunefleet_builtin_run(buffers, nullptr, nullptr) == 0, "no such kernel");
  v1::OutputCheck& check = *kernel.add_checks();
  check.set_buffer(2);
  check.set_dtype(v1::DATA_TYPE_FLOAT32);
  check.set_reference_digest(blobs->Put(BytesOf(std::as_bytes(std::span(sums)))));
  check.set_absolute(kTolerance);
  check.set_relative(kTolerance);
  return kernel;
}

}  // namespace

std::string MemoryBlobs::Put(std::string bytes) {
  std::string digest = common::Sha256(bytes);
  Blob& blob = blobs_[digest];
  if (blob == nullptr) blob = std::make_shared<const std::string>(std::move(bytes));
  return digest;
}

absl::StatusOr<Blob> MemoryBlobs::Get(absl::string_view digest) const {
  const auto found = blobs_.find(digest);
  if (found == blobs_.end()) return absl::NotFoundError("no such blob in memory");
  return found->second;
}

v1::Trial MakeBuiltinTrial(const std::string& trial_id, const std::vector<BuiltinKernel>& kernels,
                           const v1::MeasureOptions& options, MemoryBlobs* blobs) {
  v1::Trial trial;
  trial.set_trial_id(trial_id);
  *trial.mutable_options() = options;
  for (const BuiltinKernel& kernel : kernels) *trial.add_kernels() = MakeKernel(kernel, blobs);
  return trial;
}

}  // namespace tunefleet::device
