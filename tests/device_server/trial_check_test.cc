#include "device_server/measure/trial_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "common/kernel_abi.h"

namespace tunefleet::device {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

v1::Trial ValidTrial() {
  v1::Trial trial;
  v1::Kernel& kernel = *trial.add_kernels();
  v1::ArtifactManifest& manifest = *kernel.mutable_manifest();
  manifest.set_code_digest(std::string(32, 'c'));
  manifest.set_format(v1::CODE_FORMAT_ELF_SHARED);
  manifest.set_abi_version(TF_ABI_VERSION);
  for (const v1::BufferRole role : {v1::BUFFER_ROLE_INPUT, v1::BUFFER_ROLE_OUTPUT}) {
    v1::BufferSpec& buffer = *manifest.add_buffers();
    buffer.set_name("b");
    buffer.set_role(role);
    buffer.set_size_bytes(64);
    buffer.set_alignment(64);
  }
  kernel.add_fills()->set_dtype(v1::DATA_TYPE_FLOAT32);
  kernel.mutable_fills(0)->set_seed(1);
  v1::OutputCheck& check = *kernel.add_checks();
  check.set_buffer(1);
  check.set_dtype(v1::DATA_TYPE_FLOAT32);
  check.set_reference_digest(std::string(32, 'r'));
  return trial;
}

TEST(TrialCheckTest, AWellFormedTrialPasses) { EXPECT_TRUE(CheckTrial(ValidTrial()).ok()) << CheckTrial(ValidTrial()); }

TEST(TrialCheckTest, EachDefectIsRefusedByName) {
  const struct {
    const char* complaint;
    std::function<void(v1::Trial*)> spoil;
  } kCases[] = {
      {"0 kernels", [](v1::Trial* t) { t->clear_kernels(); }},
      {"digest", [](v1::Trial* t) { t->mutable_kernels(0)->mutable_manifest()->set_code_digest("x"); }},
      {"ABI", [](v1::Trial* t) { t->mutable_kernels(0)->mutable_manifest()->set_abi_version(99); }},
      {"format", [](v1::Trial* t) { t->mutable_kernels(0)->mutable_manifest()->clear_format(); }},
      {"alignment 48",
       [](v1::Trial* t) { t->mutable_kernels(0)->mutable_manifest()->mutable_buffers(0)->set_alignment(48); }},
      {"role", [](v1::Trial* t) { t->mutable_kernels(0)->mutable_manifest()->mutable_buffers(0)->clear_role(); }},
      {"16 GiB",
       [](v1::Trial* t) { t->mutable_kernels(0)->mutable_manifest()->set_workspace_bytes(uint64_t{1} << 60); }},
      {"no fill", [](v1::Trial* t) { t->mutable_kernels(0)->clear_fills(); }},
      {"fill of buffer 9", [](v1::Trial* t) { t->mutable_kernels(0)->mutable_fills(0)->set_buffer(9); }},
      {"is no input",
       [](v1::Trial* t) {
         *t->mutable_kernels(0)->add_fills() = t->kernels(0).fills(0);
         t->mutable_kernels(0)->mutable_fills(1)->set_buffer(1);
       }},
      {"twice", [](v1::Trial* t) { *t->mutable_kernels(0)->add_fills() = t->kernels(0).fills(0); }},
      {"every output", [](v1::Trial* t) { t->mutable_kernels(0)->clear_checks(); }},
      {"reference", [](v1::Trial* t) { t->mutable_kernels(0)->mutable_checks(0)->clear_reference_digest(); }},
      {"'other' is not one of the kernel's",
       [](v1::Trial* t) {
         v1::Kernel* kernel = t->mutable_kernels(0);
         *kernel->mutable_reference() = kernel->manifest();
         kernel->mutable_reference()->mutable_buffers(0)->set_name("other");
       }},
      {"the check of buffer 4294967295 has no reference",
       [](v1::Trial* t) {
         v1::Kernel* kernel = t->mutable_kernels(0);
         for (int i = 0; i < 2; ++i) kernel->mutable_manifest()->mutable_buffers(i)->set_name(i == 0 ? "in" : "out");
         *kernel->mutable_reference() = kernel->manifest();
         kernel->mutable_checks(0)->clear_reference_digest();
         kernel->mutable_checks(0)->set_buffer(~uint32_t{0});
       }},
      {"or the device computes it",
       [](v1::Trial* t) {
         v1::Kernel* kernel = t->mutable_kernels(0);
         *kernel->mutable_reference() = kernel->manifest();
         *kernel->add_second_fills() = kernel->fills(0);
         kernel->mutable_checks(0)->clear_reference_digest();
         kernel->mutable_checks(0)->set_second_reference_digest(std::string(32, 's'));
       }},
      {"second reference",
       [](v1::Trial* t) {
         t->mutable_kernels(0)->mutable_checks(0)->set_second_reference_digest(std::string(32, 's'));
       }},
      {"or none where there are",
       [](v1::Trial* t) { *t->mutable_kernels(0)->add_second_fills() = t->kernels(0).fills(0); }},
      {"without a first one",
       [](v1::Trial* t) {
         *t->mutable_kernels(0)->add_second_fills() = t->kernels(0).fills(0);
         t->mutable_kernels(0)->mutable_second_fills(0)->set_buffer(1);
       }},
      {"negative", [](v1::Trial* t) { t->mutable_kernels(0)->mutable_checks(0)->set_absolute(-1); }},
      {"elements",
       [](v1::Trial* t) { t->mutable_kernels(0)->mutable_manifest()->mutable_buffers(0)->set_size_bytes(63); }},
      {"threads", [](v1::Trial* t) { t->mutable_options()->set_threads(1000000); }},
      {"memory limit", [](v1::Trial* t) { t->mutable_options()->set_memory_limit_bytes(~uint64_t{0}); }},
      {"pads 9 axes",
       [](v1::Trial* t) {
         for (int i = 0; i < 9; ++i) t->mutable_kernels(0)->mutable_fills(0)->add_padded();
       }},
      {"a lattice with 0 fraction bits",
       [](v1::Trial* t) { t->mutable_kernels(0)->mutable_fills(0)->mutable_lattice(); }},
      {"a lattice with 8 fraction bits",
       [](v1::Trial* t) {
         v1::BufferFill* fill = t->mutable_kernels(0)->mutable_fills(0);
         fill->set_dtype(v1::DATA_TYPE_INT8);
         fill->mutable_lattice()->set_fraction_bits(8);
       }},
      {"33 buffers",
       [](v1::Trial* t) {
         for (int i = 0; i < 31; ++i) t->mutable_kernels(0)->mutable_manifest()->add_buffers();
       }},
  };
  for (const auto& c : kCases) {
    v1::Trial trial = ValidTrial();
    c.spoil(&trial);
    const absl::Status status = CheckTrial(trial);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << c.complaint;
    EXPECT_THAT(status.message(), HasSubstr(c.complaint));
  }
}

TEST(TrialCheckTest, BlobsAreNamedOnce) {
  v1::Trial trial = ValidTrial();
  *trial.add_kernels() = trial.kernels(0);
  trial.mutable_kernels(1)->mutable_fills(0)->set_blob_digest(std::string(32, 'f'));
  EXPECT_THAT(BlobsOf(trial), UnorderedElementsAre(std::string(32, 'c'), std::string(32, 'r'), std::string(32, 'f')));
}

}  // namespace
}  // namespace tunefleet::device
