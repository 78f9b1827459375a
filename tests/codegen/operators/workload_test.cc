#include "codegen/operators/workload.h"

#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tunefleet::codegen {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

v1::Workload Parsed(absl::string_view op) {
  absl::StatusOr<v1::Workload> workload = ParseOperator(op);
  EXPECT_TRUE(workload.ok()) << workload.status();
  return workload.value_or(v1::Workload());
}

std::string ErrorOf(absl::string_view op) {
  const absl::StatusOr<v1::Workload> workload = ParseOperator(op);
  EXPECT_EQ(workload.status().code(), absl::StatusCode::kInvalidArgument) << op;
  return std::string(workload.status().message());
}

v1::Target TargetWith(std::vector<std::string> features) {
  v1::Target target;
  for (std::string& feature : features) target.add_features(std::move(feature));
  return target;
}

TEST(ParseOperatorTest, ShorthandsStandForBothAxes) {
  const v1::Workload both = Parsed("conv2d(n=1,h=56,w=56,ci=64,co=64,k=3,s=1,p=1)");
  const v1::Workload each = Parsed("conv2d( h=56, w=56, ci=64, co=64, kh=3, kw=3, sh=1, sw=1, ph=1, pw=1 )");
  EXPECT_EQ(both.SerializeAsString(), each.SerializeAsString());
}

TEST(ParseOperatorTest, GroupsEqualToChannelsIsDepthwise) {
  EXPECT_EQ(Parsed("conv2d(h=8,w=8,ci=6,co=6,k=3,groups=6)").SerializeAsString(),
            Parsed("depthwise_conv2d(h=8,w=8,c=6,k=3)").SerializeAsString());
}

TEST(ParseOperatorTest, KernelBuffersComeBeforeIntermediates) {
  const v1::Workload workload = Parsed("conv2d(h=8,w=8,ci=6,co=6,k=3)+bias+relu");
  std::vector<std::string> names;
  for (const v1::Tensor& tensor : workload.tensors()) names.push_back(tensor.name());
  EXPECT_THAT(names, ElementsAre("data", "weight", "bias", "output", "sum", "biased"));
}

TEST(ParseOperatorTest, ErrorsSayWhatWouldBeRight) {
  EXPECT_THAT(ErrorOf("conv2(h=8)"), HasSubstr("unknown operator 'conv2'; did you mean 'conv2d'?"));
  EXPECT_THAT(ErrorOf("matmul(m=8,n=8,kk=8)"), HasSubstr("unknown argument 'kk'; did you mean 'k'?"));
  EXPECT_THAT(ErrorOf("matmul(m=8,n=8)"), HasSubstr("argument 'k' is missing"));
  EXPECT_THAT(ErrorOf("matmul(m=8,n=8,k=8,m=9)"), HasSubstr("'m' is given twice"));
  EXPECT_THAT(ErrorOf("matmul(m=8,n=0,k=8)"), HasSubstr("'n=0' is outside 1 to"));
  EXPECT_THAT(ErrorOf("matmul(m=8,n=-3,k=8)"), HasSubstr("'n=-3' is outside 1 to"));
  EXPECT_THAT(ErrorOf("matmul(m=8,n=8,k=8.5)"), HasSubstr("'k=8.5' is not a whole number"));
  EXPECT_THAT(ErrorOf("matmul(m=8,n=8,k=99999999999999999999)"), HasSubstr("not a whole number"));
  EXPECT_THAT(ErrorOf("matmul(m=8,n=8,k=8,ta=2)"), HasSubstr("neither 0 nor 1"));
  EXPECT_THAT(ErrorOf("matmul m=8"), AllOf(HasSubstr("no '('"), HasSubstr("write e.g.")));
  EXPECT_THAT(ErrorOf("matmul(m=8"), HasSubstr("no closing ')'"));
  EXPECT_THAT(ErrorOf("matmul(m=8,,n=8)"), HasSubstr("argument '' is not NAME=VALUE"));
  EXPECT_THAT(ErrorOf("matmul(m=8,n=8,k=8)+gelu"), HasSubstr("unknown epilogue 'gelu'"));
  EXPECT_THAT(ErrorOf("matmul(m=8,n=8,k=8)+relu+relu"), HasSubstr("given twice"));
  EXPECT_THAT(ErrorOf("matmul(m=8,n=8,k=8) relu"), HasSubstr("is not an epilogue"));
  EXPECT_THAT(ErrorOf("matmul(m=8,n=8,k=8,dtype=int4)"),
              HasSubstr("dtype 'int4' is not supported (known: float32, int8)"));
  EXPECT_THAT(ErrorOf("conv2d(h=8,w=8,ci=4,co=4)"), HasSubstr("argument 'k' (or both"));
  EXPECT_THAT(ErrorOf("conv2d(h=8,w=8,ci=4,co=4,k=3,kh=5)"), HasSubstr("not both"));
  EXPECT_THAT(ErrorOf("conv2d(h=8,w=8,ci=4,co=8,k=3,groups=2)"), HasSubstr("groups=2"));
  EXPECT_THAT(ErrorOf("conv2d(h=8,w=8,ci=4,co=4,k=3,layout=CHWN)"), HasSubstr("unknown layout 'CHWN'"));
  EXPECT_THAT(ErrorOf("conv2d(h=8,w=8,ci=4,co=4,k=3,in_layout=NCHW16c,layout=NCHW)"), HasSubstr("in_layout"));
}

TEST(ParseOperatorTest, ImpossibleShapesAreRefused) {
  EXPECT_THAT(ErrorOf("conv2d(h=4,w=9,ci=4,co=4,k=7,p=1)"), HasSubstr("kernel's height 7"));
  EXPECT_THAT(ErrorOf("conv2d(h=9,w=4,ci=4,co=4,k=3,d=2)"), HasSubstr("kernel's width 3 (5 with dilation 2)"));
  EXPECT_THAT(ErrorOf("matmul(m=16000000,n=16000000,k=1)"), HasSubstr("tensor 'output'"));
  EXPECT_THAT(ErrorOf("conv2d(h=16000000,w=16000000,ci=16000000,co=1,k=1)"), HasSubstr("tensor 'data'"));
  EXPECT_THAT(ErrorOf("matmul(m=1,n=1,k=10000000)"), HasSubstr("products"));
}

TEST(ParseOperatorTest, SumsOfInt8StayWithinInt32) {
  EXPECT_TRUE(ParseOperator("dense(m=1,n=1,k=131071,dtype=int8)").ok());
  EXPECT_THAT(ErrorOf("dense(m=1,n=1,k=131072,dtype=int8)"), HasSubstr("131071"));
  EXPECT_TRUE(ParseOperator("conv2d(h=9,w=9,ci=14563,co=1,k=3,dtype=int8)").ok());
  EXPECT_THAT(ErrorOf("conv2d(h=9,w=9,ci=14564,co=1,k=3,dtype=int8)"), HasSubstr("14564 * 3 * 3 products"));
}

TEST(ParseOperatorTest, Int8GivesInt32) {
  const v1::Workload workload = Parsed("dense(m=3,n=4,k=5,dtype=int8)+bias+relu");
  for (const v1::Tensor& tensor : workload.tensors()) {
    const bool multiplied = tensor.name() == "data" || tensor.name() == "weight";
    EXPECT_EQ(tensor.dtype(), multiplied ? v1::DATA_TYPE_INT8 : v1::DATA_TYPE_INT32) << tensor.name();
  }
}

TEST(FindWorkloadsTest, ResNet18HoldsTheTwelveConvolutionsOfTheTable) {
  const absl::StatusOr<std::vector<NamedWorkload>> network = FindWorkloads("resnet18");
  ASSERT_TRUE(network.ok()) << network.status();
  std::vector<std::string> names;
  std::vector<std::string> keys;
  for (const NamedWorkload& named : *network) {
    names.push_back(named.name);
    keys.push_back(WorkloadKey(named.workload));
  }
  EXPECT_THAT(names,
              ElementsAre("resnet18.C1", "resnet18.C2", "resnet18.C3", "resnet18.C4", "resnet18.C5", "resnet18.C6",
                          "resnet18.C7", "resnet18.C8", "resnet18.C9", "resnet18.C10", "resnet18.C11", "resnet18.C12"));
  EXPECT_EQ(keys[0], "conv2d(h=224,w=224,ci=3,co=64,kh=7,kw=7,sh=2,sw=2,ph=3,pw=3,layout=NCHW16c,in_layout=NCHW)");
  EXPECT_EQ(keys[5], "conv2d(h=28,w=28,ci=128,co=128,kh=3,kw=3,ph=1,pw=1,layout=NCHW16c)");
  EXPECT_EQ(keys[10], "conv2d(h=14,w=14,ci=256,co=512,kh=1,kw=1,sh=2,sw=2,layout=NCHW16c)");
}

TEST(FindWorkloadsTest, UnknownNameSuggestsTheClosest) {
  const absl::Status status = FindWorkloads("resnet18.c6").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("did you mean 'resnet18.C6'?"));
  EXPECT_EQ(FindWorkloads("").status().code(), absl::StatusCode::kNotFound);
}

TEST(WorkloadKeyTest, ParsesBackToTheSameWorkload) {
  for (const char* op :
       {"conv2d(n=2,h=9,w=7,ci=5,co=3,kh=3,kw=1,sh=2,sw=1,ph=1,pw=0,d=2,layout=NCHW8c)+relu",
        "conv2d(h=9,w=7,ci=3,co=32,k=3,layout=NCHW16c,in_layout=NCHW)", "conv2d(h=9,w=7,ci=3,co=32,k=3)",
        "depthwise_conv2d(h=9,w=7,c=5,k=3,s=2,p=1,layout=NCHW4c)+relu+bias", "matmul(m=3,n=4,k=5)",
        "matmul(batch=7,m=3,n=4,k=5,ta=1,tb=1)+bias", "dense(m=3,n=4,k=5)+bias+relu",
        "conv2d(h=9,w=7,ci=3,co=32,k=3,dtype=int8,layout=NCHW16c,in_layout=NCHW)+bias",
        "matmul(m=3,n=4,k=5,ta=1,dtype=int8)", "dense(m=3,n=4,k=5,dtype=int8)"}) {
    const v1::Workload workload = Parsed(op);
    const std::string key = WorkloadKey(workload);
    EXPECT_EQ(Parsed(key).SerializeAsString(), workload.SerializeAsString()) << op << " -> " << key;
    EXPECT_EQ(WorkloadKey(Parsed(key)), key);
  }
}

TEST(ResolveLayoutsTest, BlocksFollowTheVectorWidth) {
  const auto layout = [](std::vector<std::string> features) {
    const v1::Workload workload = Parsed("conv2d(h=9,w=7,ci=5,co=3,k=1)");
    return ResolveLayouts(workload, TargetWith(std::move(features)))->tensors(0).layout();
  };
  EXPECT_EQ(layout({"avx2", "avx512f"}), "NCHW16c");
  EXPECT_EQ(layout({"avx2"}), "NCHW8c");
  EXPECT_EQ(layout({}), "NCHW4c");
  EXPECT_EQ(layout({"neon", "dotprod"}), "NCHW4c");
  const v1::Workload int8 = Parsed("conv2d(h=9,w=7,ci=5,co=3,k=1,dtype=int8)");
  EXPECT_EQ(ResolveLayouts(int8, TargetWith({"neon", "dotprod"}))->tensors(0).layout(), "NCHW16c");
  EXPECT_EQ(ResolveLayouts(int8, TargetWith({"neon"}))->tensors(0).layout(), "NCHW4c");
}

TEST(ResolveLayoutsTest, AnImageStaysPlainAndGivenLayoutsStay) {
  const absl::StatusOr<v1::Workload> image =
      ResolveLayouts(Parsed("conv2d(h=9,w=7,ci=3,co=8,k=3)+relu"), TargetWith({"avx512f"}));
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(WorkloadKey(*image), "conv2d(h=9,w=7,ci=3,co=8,kh=3,kw=3,layout=NCHW16c,in_layout=NCHW)+relu");
  const v1::Workload given = Parsed("conv2d(h=9,w=7,ci=5,co=3,k=1,layout=NCHW)");
  EXPECT_EQ(ResolveLayouts(given, TargetWith({"avx512f"}))->SerializeAsString(), given.SerializeAsString());
}

TEST(ShapeTest, MalformedWorkloadsAreRefusedNotTrusted) {
  v1::Workload workload = Parsed("conv2d(h=9,w=7,ci=5,co=3,k=3,layout=NCHW8c)+relu");
  EXPECT_TRUE(Conv2dShapeOf(workload).ok());
  v1::Workload wrong_output = workload;
  wrong_output.mutable_tensors(2)->set_shape(2, 100);
  EXPECT_FALSE(Conv2dShapeOf(wrong_output).ok());
  v1::Workload wrong_rank = workload;
  wrong_rank.mutable_tensors(0)->clear_shape();
  EXPECT_FALSE(Conv2dShapeOf(wrong_rank).ok());
  v1::Workload wrong_stride = workload;
  wrong_stride.mutable_nodes(0)->mutable_attributes(3)->set_value(0);
  EXPECT_FALSE(Conv2dShapeOf(wrong_stride).ok());
  v1::Workload mixed = workload;
  mixed.mutable_tensors(0)->set_dtype(v1::DATA_TYPE_INT8);
  EXPECT_FALSE(Conv2dShapeOf(mixed).ok());
  v1::Workload doubles = workload;
  for (v1::Tensor& tensor : *doubles.mutable_tensors()) tensor.set_dtype(v1::DATA_TYPE_FLOAT64);
  EXPECT_FALSE(Conv2dShapeOf(doubles).ok());
  v1::Workload unresolved = Parsed("conv2d(h=9,w=7,ci=5,co=3,k=3)");
  EXPECT_FALSE(Conv2dShapeOf(unresolved).ok());
  EXPECT_FALSE(MatmulShapeOf(workload).ok());
  EXPECT_FALSE(Conv2dShapeOf(v1::Workload()).ok());
}

TEST(FlopCountTest, CountsMultiplyAddsTwiceAndEpilogueOnce) {
  EXPECT_EQ(FlopCount(Parsed("matmul(batch=2,m=3,n=4,k=5)+bias+relu")), 2 * 3 * 4 * (2 * 5 + 2));
  EXPECT_EQ(FlopCount(Parsed("conv2d(h=28,w=28,ci=128,co=128,k=3,p=1)")), 2.0 * 28 * 28 * 128 * 128 * 9);
  EXPECT_EQ(FlopCount(Parsed("depthwise_conv2d(h=8,w=8,c=5,k=3,p=1)")), 2.0 * 64 * 5 * 9);
}

TEST(SeededFillTest, PaddingLanesAreNamed) {
  const v1::Workload workload = Parsed("conv2d(n=2,h=3,w=4,ci=5,co=8,k=1,layout=NCHW4c)");
  EXPECT_THAT(PhysicalShape(workload.tensors(0)), ElementsAre(2, 2, 3, 4, 4));
  const v1::BufferFill fill = SeededFill(workload.tensors(0), 7);
  EXPECT_EQ(fill.seed(), 7);
  ASSERT_EQ(fill.padded_size(), 1);
  EXPECT_EQ(fill.padded(0).outer_stride(), 48);
  EXPECT_EQ(fill.padded(0).extent(), 5);
  EXPECT_EQ(SeededFill(workload.tensors(1), 7).padded_size(), 0);
}

}  // namespace
}  // namespace tunefleet::codegen
