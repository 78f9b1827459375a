#include "tuner/commands/kernel_description.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "common/digest.h"

namespace tunefleet::tuner {
namespace {

using ::testing::HasSubstr;

class KernelDescriptionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = absl::StrCat(::testing::TempDir(), "/kernel_description_", getpid());
    std::filesystem::create_directories(folder_);
    kernel_.mutable_manifest()->set_code_digest(common::Sha256("code"));
    kernel_.mutable_manifest()->add_buffers()->set_name("x");
    kernel_.mutable_workload()->add_nodes()->set_kind("matmul");
    kernel_.mutable_target()->set_cpu("znver5");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << bytes;
    return folder_ + "/" + name;
  }

  std::string folder_;
  v1::KernelFile kernel_;
};

TEST_F(KernelDescriptionTest, WhatIsWrittenIsRead) {
  const std::string library = Write("conv.so", "code");
  EXPECT_EQ(DescriptionPath(library), Write("conv.json", PrintDescription(kernel_)));
  const auto read = ReadKernel(library);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->code, "code");
  EXPECT_EQ(read->description.SerializeAsString(), kernel_.SerializeAsString());
}

TEST_F(KernelDescriptionTest, AMissingBrokenOrForeignDescriptionIsNamed) {
  EXPECT_THAT(ReadKernel(folder_ + "/none.so").status().message(), HasSubstr("cannot read"));
  const std::string library = Write("conv.so", "code");
  EXPECT_THAT(ReadKernel(library).status().message(), HasSubstr("as 'tunefleet build -o' writes it"));
  Write("conv.json", "{\"manifest\": 3}");
  EXPECT_THAT(ReadKernel(library).status().message(), HasSubstr("describes no kernel"));
  Write("conv.json", PrintDescription(kernel_));
  Write("conv.so", "other code");
  EXPECT_THAT(ReadKernel(library).status().message(), HasSubstr("describes other code"));
}

}  // namespace
}  // namespace tunefleet::tuner
