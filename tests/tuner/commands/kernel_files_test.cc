// The shipped C files: they must compile as they are, as C99 and as C++.
#include "tuner/commands/kernel_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "codegen/operators/workload.h"
#include "tests/support/temp_dir.h"

namespace tunefleet::tuner {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ShippedKernel Conv(const std::string& dtype = "float32") {
  ShippedKernel kernel = NameKernelFiles("/some/where/my-conv.v2.so");
  const auto workload = codegen::ParseOperator(
      absl::StrCat("conv2d(n=1,h=7,w=7,ci=20,co=40,k=3,s=1,p=1,layout=NCHW16c,dtype=", dtype, ")"));
  EXPECT_TRUE(workload.ok()) << workload.status();
  kernel.workload = *workload;
  kernel.workload_key = codegen::WorkloadKey(kernel.workload);
  kernel.target.set_triple("x86_64-linux-gnu");
  kernel.target.set_cpu("znver5");
  kernel.latency_ns = 1234;
  kernel.gflops = 56.7;
  for (const v1::Tensor& tensor : kernel.workload.tensors()) {
    v1::BufferSpec& buffer = *kernel.manifest.add_buffers();
    buffer.set_name(tensor.name());
    buffer.set_role(tensor.role() == v1::TENSOR_ROLE_OUTPUT     ? v1::BUFFER_ROLE_OUTPUT
                    : tensor.role() == v1::TENSOR_ROLE_CONSTANT ? v1::BUFFER_ROLE_CONSTANT
                                                                : v1::BUFFER_ROLE_INPUT);
    buffer.set_size_bytes(4096);
    buffer.set_alignment(64);
  }
  v1::BufferSpec& packed = *kernel.manifest.add_buffers();
  packed.set_name("weight.packed");
  packed.set_role(v1::BUFFER_ROLE_PREPARED);
  packed.set_size_bytes(8192);
  packed.set_alignment(64);
  kernel.manifest.set_has_prepare(true);
  kernel.manifest.set_workspace_bytes(123);
  return kernel;
}

TEST(KernelFilesTest, NamesFollowThePath) {
  const ShippedKernel kernel = NameKernelFiles("/some/where/my-conv.v2.so");
  EXPECT_EQ(kernel.file, "my-conv.v2.so");
  EXPECT_EQ(kernel.header, "my-conv.v2.h");
  EXPECT_EQ(kernel.example, "my-conv.v2_example.c");
  EXPECT_EQ(kernel.prefix, "MY_CONV_V2");
  EXPECT_EQ(NameKernelFiles("3x3").header, "3x3.h");
  EXPECT_EQ(NameKernelFiles("3x3").prefix, "K3X3");
}

TEST(KernelFilesTest, HeaderSaysShapesLayoutsSizesAndAlignment) {
  const std::string header = KernelHeader(Conv());
  for (const char* part :
       {"NCHW16c", "float [1, 20, 7, 7]", "[1][2][7][7][16]", "4096 bytes, aligned to 64", "znver5",
        "#define MY_CONV_V2_WEIGHT_PACKED 3", "#define MY_CONV_V2_WORKSPACE_BYTES 123", "tf_prepare", "1.23 us"}) {
    EXPECT_THAT(header, HasSubstr(part));
  }
}

TEST(KernelFilesTest, ExampleKeepsPaddingLanesOfTheInputZero) {
  const std::string example = KernelExample(Conv());
  EXPECT_THAT(example, HasSubstr("if (i / 784 % 2 * 16 + i % 16 >= 20) ((float*)buffers[MY_CONV_V2_DATA])[i] = 0;"));
  EXPECT_THAT(example, Not(HasSubstr("((float*)buffers[MY_CONV_V2_WEIGHT])[i] = 0;")));
}

TEST(KernelFilesTest, ElementTypesAreTheTensors) {
  const ShippedKernel kernel = Conv("int8");
  EXPECT_THAT(KernelHeader(kernel), HasSubstr("int8_t [1, 20, 7, 7]"));
  EXPECT_THAT(KernelHeader(kernel), HasSubstr("int32_t [1, 40, 7, 7]"));
  EXPECT_THAT(KernelHeader(kernel), HasSubstr("56.7 GOP/s"));
  const std::string example = KernelExample(kernel);
  EXPECT_THAT(example, HasSubstr("((int8_t*)buffers[MY_CONV_V2_DATA])[i] = 0;"));
  EXPECT_THAT(example, HasSubstr("((int8_t*)buffers[MY_CONV_V2_WEIGHT])[i] = (int8_t)"));
  EXPECT_THAT(example, HasSubstr("checksum += ((int32_t*)buffers[MY_CONV_V2_OUTPUT])[i];"));
}

class KernelFilesCompileTest : public ::testing::TestWithParam<const char*> {};

TEST_P(KernelFilesCompileTest, HeaderAndExampleCompile) {
  const TempDir directory;
  const std::filesystem::path folder = directory.path();
  const ShippedKernel kernel = Conv(GetParam());
  std::ofstream(folder / kernel.header) << KernelHeader(kernel);
  std::ofstream(folder / "example.c") << KernelExample(kernel);
  std::ofstream(folder / "use.cc") << "#include \"" << kernel.header << "\"\n#include \"" << kernel.header << "\"\n";
  const std::string strict = absl::StrCat("cd ", folder.string(), " && cc -Wall -Wextra -Werror -pedantic ");
  EXPECT_EQ(std::system(absl::StrCat(strict, "-std=c99 -c example.c").c_str()), 0);
  EXPECT_EQ(std::system(absl::StrCat("cd ", folder.string(), " && c++ -Wall -Werror -c use.cc").c_str()), 0);
}

INSTANTIATE_TEST_SUITE_P(Types, KernelFilesCompileTest, ::testing::Values("float32", "int8"));

}  // namespace
}  // namespace tunefleet::tuner
