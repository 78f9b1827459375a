#include "codegen/llvm/target_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tunefleet::codegen {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::StartsWith;

std::vector<std::string> FeaturesOf(const std::string& text) {
  const absl::StatusOr<v1::Target> target = ParseTarget(text);
  EXPECT_TRUE(target.ok()) << target.status();
  if (!target.ok()) return {};
  return {target->features().begin(), target->features().end()};
}

std::string Error(const std::string& text) { return std::string(ParseTarget(text).status().message()); }

TEST(ParseTargetTest, CpuImpliesItsFeatures) {
  const absl::StatusOr<v1::Target> target = ParseTarget(" x86_64-linux-gnu  -mcpu=znver5 ");
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_EQ(target->triple(), "x86_64-linux-gnu");
  EXPECT_EQ(target->cpu(), "znver5");
  EXPECT_THAT(FeaturesOf("x86_64-linux-gnu -mcpu=znver5"), IsSupersetOf({"avx2", "avx512bw", "avx512f", "fma"}));
  EXPECT_THAT(FeaturesOf("x86_64-linux-gnu -mcpu=znver3"), AllOf(Contains("avx2"), Not(Contains("avx512f"))));
  EXPECT_THAT(FeaturesOf("aarch64-linux-gnu -mcpu=cortex-a53"), Contains("neon"));
}

TEST(ParseTargetTest, GenericRiscvHasWhatItsLinuxIsBuiltFor) {
  EXPECT_THAT(FeaturesOf("riscv64-linux-gnu -mcpu=generic"), IsSupersetOf({"a", "c", "d", "f", "m"}));
  EXPECT_THAT(FeaturesOf("riscv64-linux-gnu -mcpu=generic-rv64"), Contains("d"));
}

TEST(ParseTargetTest, SwitchedOffFeatureTakesThoseAlongThatNeedIt) {
  const std::vector<std::string> features = FeaturesOf("x86_64-linux-gnu -mcpu=znver5 -mattr=-avx512f");
  EXPECT_THAT(features, Each(Not(StartsWith("avx512"))));
  EXPECT_THAT(features, IsSupersetOf({"avx2", "fma"}));
}

TEST(ParseTargetTest, SwitchedOnFeatureBringsThoseThatItNeeds) {
  EXPECT_THAT(FeaturesOf("x86_64-linux-gnu -mcpu=znver3 -mattr=+avx512bw,-sse4a"),
              AllOf(IsSupersetOf({"avx512bw", "avx512f"}), Not(Contains("sse4a"))));
}

TEST(ParseTargetTest, ErrorsSayWhatWouldBeRight) {
  for (const char* text : {"", "-mcpu=znver5", "x86_64-linux-gnu -O3", "x86_64-linux-gnu -mcpu=znver5 -mattr=avx2"}) {
    EXPECT_THAT(Error(text), HasSubstr("expected e.g. 'x86_64-linux-gnu -mcpu=znver5")) << text;
  }
  EXPECT_THAT(Error("vax-dec-ultrix"), HasSubstr("x86_64-linux-gnu"));
  EXPECT_THAT(Error("x86_64-linux-gnu -mcpu=zenver5"), HasSubstr("did you mean 'znver5'?"));
  EXPECT_THAT(Error("x86_64-linux-gnu -mcpu=znver5 -mattr=+avx1024"), HasSubstr("unknown feature 'avx1024'"));
  EXPECT_THAT(Error("x86_64-linux-gnu -mattr=-avx512f"), HasSubstr("-mcpu"));
}

}  // namespace
}  // namespace tunefleet::codegen
