#include "codegen/operators/implementation.h"

#include <string>
#include <vector>

#include "codegen/ir/printer.h"
#include "codegen/ir/validator.h"
#include "codegen/operators/winograd.h"
#include "codegen/operators/workload.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/codegen/operators/check_nest.h"

namespace tunefleet::codegen {
namespace {

v1::Workload Parsed(absl::string_view op) {
  absl::StatusOr<v1::Workload> workload = ParseOperator(op);
  EXPECT_TRUE(workload.ok()) << workload.status();
  return workload.value_or(v1::Workload());
}

class ImplementationTest : public ::testing::TestWithParam<const char*> {};

TEST_P(ImplementationTest, FreshNestIsValidAndComputesTheReference) {
  const v1::Workload workload = Parsed(GetParam());
  const absl::StatusOr<LoopNest> nest = FreshNest(workload, "direct", 1);
  ASSERT_TRUE(nest.ok()) << nest.status();
  EXPECT_TRUE(Validate(*nest).ok()) << Validate(*nest) << "\n" << Print(*nest);
  const absl::Status checked = CheckNest(workload, *nest, "direct");
  EXPECT_TRUE(checked.ok()) << checked << "\n" << Print(*nest);
}

TEST_P(ImplementationTest, InDoublePrecisionItComputesTheReferenceToo) {
  const v1::Workload workload = Parsed(GetParam());
  const absl::StatusOr<LoopNest> nest = FreshNest(workload, "direct.f64", 1);
  ASSERT_TRUE(nest.ok()) << nest.status();
  EXPECT_TRUE(Validate(*nest).ok()) << Validate(*nest) << "\n" << Print(*nest);
  for (const Buffer& buffer : nest->buffers) {
    EXPECT_EQ(buffer.type == ScalarType::kFloat64, !buffer.IsArgument()) << buffer.name;
  }
  const absl::Status checked = CheckNest(workload, *nest, "direct.f64");
  EXPECT_TRUE(checked.ok()) << checked << "\n" << Print(*nest);
}

INSTANTIATE_TEST_SUITE_P(
    Workloads, ImplementationTest,
    ::testing::Values("conv2d(h=5,w=7,ci=3,co=5,k=3,p=1,layout=NCHW)",
                      "conv2d(n=2,h=5,w=4,ci=5,co=6,kh=3,kw=2,sh=2,sw=1,ph=1,pw=2,layout=NCHW4c)+bias+relu",
                      "conv2d(h=6,w=6,ci=3,co=9,k=3,s=2,p=1,layout=NCHW8c,in_layout=NCHW)+relu",
                      "conv2d(h=7,w=7,ci=4,co=4,k=3,d=2,p=2,layout=NCHW4c)",
                      "conv2d(h=5,w=5,ci=17,co=8,k=1,layout=NCHW16c)", "conv2d(h=1,w=1,ci=1,co=1,k=1,layout=NCHW)",
                      "depthwise_conv2d(n=2,h=5,w=6,c=5,k=3,s=2,p=1,layout=NCHW4c)+bias",
                      "depthwise_conv2d(h=5,w=6,c=3,kh=1,kw=5,pw=2,layout=NCHW)+relu+bias", "matmul(m=5,n=7,k=3)",
                      "matmul(batch=3,m=4,n=5,k=6,ta=1)+bias", "matmul(m=4,n=5,k=6,tb=1)+relu",
                      "matmul(batch=2,m=4,n=5,k=6,ta=1,tb=1)", "dense(m=3,n=5,k=11)+bias+relu",
                      "conv2d(h=5,w=7,ci=3,co=5,k=3,p=1,layout=NCHW,dtype=int8)",
                      "conv2d(n=2,h=5,w=4,ci=5,co=6,kh=3,kw=2,sh=2,ph=1,layout=NCHW4c,dtype=int8)+bias+relu",
                      "depthwise_conv2d(h=5,w=6,c=5,k=3,s=2,p=1,layout=NCHW4c,dtype=int8)+relu",
                      "matmul(batch=3,m=4,n=5,k=6,ta=1,dtype=int8)+bias", "dense(m=3,n=5,k=11,dtype=int8)+relu+bias"));

class WinogradTest : public ::testing::TestWithParam<const char*> {};

TEST_P(WinogradTest, FreshNestIsValidAndComputesTheReferenceWithinItsTolerance) {
  const v1::Workload workload = Parsed(GetParam());
  const Conv2dShape shape = Conv2dShapeOf(workload).value();
  int held = 0;
  for (const WinogradTransform& transform : WinogradTransforms()) {
    if (!WinogradApplies(shape, transform)) continue;
    const std::string implementation = WinogradName(transform);
    ++held;
    const absl::StatusOr<LoopNest> nest = FreshNest(workload, implementation, 1);
    ASSERT_TRUE(nest.ok()) << nest.status();
    EXPECT_TRUE(Validate(*nest).ok()) << Validate(*nest) << "\n" << Print(*nest);
    const absl::Status checked = CheckNest(workload, *nest, implementation);
    EXPECT_TRUE(checked.ok()) << implementation << ": " << checked << "\n" << Print(*nest);
  }
  EXPECT_GE(held, 3);
}

INSTANTIATE_TEST_SUITE_P(Workloads, WinogradTest,
                         ::testing::Values("conv2d(h=5,w=7,ci=4,co=4,k=3,p=1,layout=NCHW4c)",
                                           "conv2d(n=2,h=7,w=4,ci=5,co=7,k=3,p=0,layout=NCHW4c)+bias+relu",
                                           "conv2d(h=3,w=9,ci=3,co=5,k=3,ph=2,pw=1,layout=NCHW8c)+relu",
                                           "conv2d(h=3,w=3,ci=1,co=1,k=3,layout=NCHW4c)+bias",
                                           "conv2d(n=2,h=9,w=8,ci=5,co=4,k=3,s=2,p=1,layout=NCHW4c)+relu",
                                           "conv2d(h=12,w=5,ci=4,co=6,k=3,s=2,ph=0,pw=2,layout=NCHW8c)"));

struct Copied {
  const char* op;
  const char* implementation;
};

class BlockedTest : public ::testing::TestWithParam<Copied> {};

TEST_P(BlockedTest, FreshNestIsValidAndComputesTheReference) {
  const auto& [op, implementation] = GetParam();
  const v1::Workload workload = Parsed(op);
  const absl::StatusOr<LoopNest> nest = FreshNest(workload, implementation, 1);
  ASSERT_TRUE(nest.ok()) << nest.status();
  EXPECT_TRUE(Validate(*nest).ok()) << Validate(*nest) << "\n" << Print(*nest);
  for (int i = 0; i < workload.tensors_size(); ++i) EXPECT_EQ(nest->buffers[i].name, workload.tensors(i).name());
  const absl::Status checked = CheckNest(workload, *nest, implementation);
  EXPECT_TRUE(checked.ok()) << checked << "\n" << Print(*nest);
}

INSTANTIATE_TEST_SUITE_P(
    Workloads, BlockedTest,
    ::testing::Values(Copied{"conv2d(n=2,h=5,w=7,ci=5,co=6,k=3,p=1,layout=NCHW)+bias+relu", "blocked4.direct"},
                      Copied{"conv2d(n=2,h=5,w=7,ci=9,co=6,k=3,p=1,layout=NHWC)+bias", "blocked8.winograd.2"},
                      Copied{"conv2d(h=6,w=6,ci=3,co=6,k=3,s=2,layout=NHWC)", "blocked4.direct"},
                      Copied{"conv2d(h=6,w=6,ci=3,co=6,k=3,s=2,layout=NCHW)+relu", "blocked8.direct"},
                      Copied{"depthwise_conv2d(h=6,w=5,c=6,k=3,layout=NHWC)+relu", "blocked4.direct"},
                      Copied{"conv2d(h=6,w=6,ci=5,co=6,k=3,layout=NHWC,dtype=int8)+bias", "blocked16.direct"}));

TEST(FreshNestTest, BlocksAreForTensorsThatAreNotInBlocks) {
  for (const char* op : {"conv2d(h=6,w=6,ci=4,co=4,k=3,layout=NCHW4c)", "matmul(m=2,n=2,k=2)"}) {
    EXPECT_EQ(FreshNest(Parsed(op), "blocked4.direct", 1).status().code(), absl::StatusCode::kInvalidArgument) << op;
  }
  for (const char* name :
       {"blocked4.", "blocked5.direct", "blocked.direct", "blocked4direct", "blocked4.blocked4.direct"}) {
    EXPECT_EQ(FreshNest(Parsed("conv2d(h=6,w=6,ci=4,co=4,k=3,layout=NCHW)"), name, 1).status().code(),
              absl::StatusCode::kNotFound)
        << name;
  }
}

TEST(WinogradTransformTest, ConvolvesOneDimensionExactly) {
  for (const WinogradTransform& t : WinogradTransforms()) {
    // Output y of unit tap k and unit input i is 1 where i = stride * y + k, else 0.
    for (int64_t y = 0; y < t.m; ++y) {
      for (int64_t k = 0; k < 3; ++k) {
        for (int64_t i = 0; i < t.a; ++i) {
          double sum = 0;
          for (int64_t xi = 0; xi < t.a; ++xi) {
            sum += t.output[y * t.a + xi] * t.filter[xi * 3 + k] * t.input[xi * t.a + i];
          }
          EXPECT_NEAR(sum, i == t.stride * y + k ? 1 : 0, 1e-14) << WinogradName(t) << " " << y << " " << k << " " << i;
        }
      }
    }
  }
}

TEST(FreshNestTest, WinogradIsRefusedWhereItDoesNotApply) {
  for (const char* op :
       {"conv2d(h=6,w=6,ci=4,co=4,k=3,s=2,layout=NCHW4c)", "conv2d(h=6,w=6,ci=4,co=4,k=3,d=2,layout=NCHW4c)",
        "conv2d(h=6,w=6,ci=4,co=4,kh=3,kw=1,layout=NCHW4c)", "conv2d(h=6,w=6,ci=4,co=4,k=3,layout=NCHW)",
        "conv2d(h=6,w=6,ci=4,co=4,k=3,layout=NCHW4c,in_layout=NCHW)", "depthwise_conv2d(h=6,w=6,c=4,k=3,layout=NCHW4c)",
        "matmul(m=2,n=2,k=2)"}) {
    EXPECT_EQ(FreshNest(Parsed(op), "winograd.4", 1).status().code(), absl::StatusCode::kInvalidArgument) << op;
  }
}

TEST(FreshNestTest, BuffersAreTheTensorsInOrder) {
  const v1::Workload workload = Parsed("conv2d(h=6,w=6,ci=3,co=9,k=3,layout=NCHW8c)+bias");
  const absl::StatusOr<LoopNest> nest = FreshNest(workload, "direct", 1);
  ASSERT_TRUE(nest.ok()) << nest.status();
  ASSERT_EQ(nest->buffers.size(), static_cast<size_t>(workload.tensors_size()));
  for (int i = 0; i < workload.tensors_size(); ++i) {
    EXPECT_EQ(nest->buffers[i].name, workload.tensors(i).name());
    EXPECT_EQ(nest->buffers[i].shape, PhysicalShape(workload.tensors(i)));
  }
  EXPECT_EQ(nest->buffers[3].role, Role::kOutput);
  EXPECT_EQ(nest->buffers[4].scope, Scope::kWorkspace);
}

TEST(FreshNestTest, UnknownImplementationsAreNotFound) {
  const v1::Workload workload = Parsed("matmul(m=2,n=2,k=2)");
  EXPECT_EQ(FreshNest(workload, "winograd", 1).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(FreshNest(workload, "direct", 2).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(FreshNest(v1::Workload(), "direct", 1).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(FreshNest(Parsed("conv2d(h=6,w=6,ci=3,co=9,k=3)"), "direct", 1).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tunefleet::codegen
