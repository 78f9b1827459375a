#include "codegen/operators/tolerance.h"

#include "absl/strings/str_cat.h"
#include "codegen/operators/winograd.h"
#include "codegen/operators/winograd_transform.h"
#include "codegen/operators/workload.h"
#include "gtest/gtest.h"

namespace tunefleet::codegen {
namespace {

struct Case {
  v1::Workload workload;
  Reference reference;
};

Case MakeCase(absl::string_view op) {
  Case made{.workload = ParseOperator(op).value(), .reference = {}};
  made.reference = ComputeReference(made.workload, 3).value();
  return made;
}

double Absolute(const Case& c, absl::string_view implementation) {
  return ChecksFor(c.workload, c.reference, implementation).value()[0].absolute();
}

std::vector<std::pair<WinogradTransform, int64_t>> Pairs(std::vector<int64_t> channels) {
  std::vector<std::pair<WinogradTransform, int64_t>> pairs;
  for (const WinogradTransform& transform : WinogradTransforms()) {
    for (const int64_t count : channels) pairs.emplace_back(transform, count);
  }
  return pairs;
}

TEST(ToleranceTest, DirectKeepsTheReferencesOwn) {
  const Case c = MakeCase("conv2d(h=6,w=6,ci=32,co=8,k=3,p=1,layout=NCHW8c)+bias");
  EXPECT_EQ(Absolute(c, "direct"), c.reference.checks[0].absolute());
}

TEST(ToleranceTest, GrowsWithTheTile) {
  const Case c = MakeCase("conv2d(h=6,w=6,ci=32,co=8,k=3,p=1,layout=NCHW8c)");
  EXPECT_LT(Absolute(c, "winograd.2"), Absolute(c, "winograd.3"));
  EXPECT_LT(Absolute(c, "winograd.3"), Absolute(c, "winograd.4"));
  EXPECT_LT(Absolute(c, "winograd.4"), Absolute(c, "winograd.6"));
}

TEST(ToleranceTest, StillTellsAnOutputFromZero) {
  int applied = 0, refused = 0;
  for (const auto& [transform, channels] : Pairs({256, 1024, 4096})) {
    const std::string implementation = WinogradName(transform);
    const Case c = MakeCase(
        absl::StrCat("conv2d(h=8,w=8,ci=", channels, ",co=16,k=3,p=1,layout=NCHW16c,s=", transform.stride, ")"));
    if (!WinogradApplies(Conv2dShapeOf(c.workload).value(), transform)) {
      EXPECT_GT(channels, 512) << implementation << ": all layers of the usual networks";
      ++refused;
      continue;
    }
    ++applied;
    const auto* output = reinterpret_cast<const float*>(c.reference.outputs[0].data());
    double squares = 0;
    const size_t elements = c.reference.outputs[0].size() / sizeof(float);
    for (size_t i = 0; i < elements; ++i) squares += static_cast<double>(output[i]) * output[i];
    const double allowed = Absolute(c, implementation);
    EXPECT_LT(allowed * allowed, squares / static_cast<double>(elements) / 4) << implementation << " " << channels;
  }
  EXPECT_GT(applied, 6);
  EXPECT_GT(refused, 0);
}

TEST(ToleranceTest, WinogradIsForConvolutionsOnly) {
  const Case c = MakeCase("matmul(m=3,n=4,k=5)");
  EXPECT_EQ(ChecksFor(c.workload, c.reference, "winograd.4").status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tunefleet::codegen
