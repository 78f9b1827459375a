#include "codegen/operators/reference.h"

#include <cmath>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "codegen/operators/workload.h"
#include "common/digest.h"
#include "common/fill.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tunefleet::codegen {
namespace {

v1::Workload Parsed(absl::string_view op) {
  absl::StatusOr<v1::Workload> workload = ParseOperator(op);
  EXPECT_TRUE(workload.ok()) << workload.status();
  return workload.value_or(v1::Workload());
}

std::vector<float> Filled(const v1::Tensor& tensor, const v1::BufferFill& fill) {
  int64_t elements = 1;
  for (const int64_t extent : PhysicalShape(tensor)) elements *= extent;
  std::vector<float> values(elements);
  EXPECT_TRUE(common::FillBuffer(fill, std::as_writable_bytes(std::span(values))).ok());
  return values;
}

std::vector<float> Floats(const std::string& bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

Reference Computed(const v1::Workload& workload) {
  absl::StatusOr<Reference> reference = ComputeReference(workload, 11);
  EXPECT_TRUE(reference.ok()) << reference.status();
  return reference.value_or(Reference());
}

// The textbook sum at one output of an NCHW<b>c convolution (b = 1: NCHW), straight from physical memory.
double ConvAt(const Conv2dShape& s, int64_t b, const std::vector<float>& data, const std::vector<float>& weight,
              int64_t n, int64_t co, int64_t oh, int64_t ow) {
  double sum = 0;
  const int64_t blocks = (s.ci + b - 1) / b;
  for (int64_t ci = 0; ci < (s.depthwise ? 1 : s.ci); ++ci) {
    const int64_t channel = s.depthwise ? co : ci;
    for (int64_t kh = 0; kh < s.kh; ++kh) {
      for (int64_t kw = 0; kw < s.kw; ++kw) {
        const int64_t ih = oh * s.sh + kh * s.d - s.ph;
        const int64_t iw = ow * s.sw + kw * s.d - s.pw;
        if (ih < 0 || ih >= s.h || iw < 0 || iw >= s.w) continue;
        sum += static_cast<double>(data[(((n * blocks + channel / b) * s.h + ih) * s.w + iw) * b + channel % b]) *
               weight[((co * (s.depthwise ? 1 : s.ci) + ci) * s.kh + kh) * s.kw + kw];
      }
    }
  }
  return sum;
}

TEST(ReferenceTest, ConvolutionsMatchTheTextbookSum) {
  for (const char* op :
       {"conv2d(n=2,h=5,w=7,ci=6,co=5,kh=3,kw=2,sh=2,sw=1,ph=1,pw=2,layout=NCHW4c)",
        "conv2d(h=6,w=5,ci=3,co=4,k=3,d=2,p=2,layout=NCHW)", "conv2d(h=5,w=5,ci=3,co=4,k=1,p=3,s=3,layout=NCHW)",
        "depthwise_conv2d(n=2,h=7,w=4,c=6,k=3,s=2,p=1,layout=NCHW8c)"}) {
    const v1::Workload workload = Parsed(op);
    const Conv2dShape s = *Conv2dShapeOf(workload);
    const Reference reference = Computed(workload);
    const std::vector<float> data = Filled(workload.tensors(0), reference.fills[0]);
    const std::vector<float> weight = Filled(workload.tensors(1), reference.fills[1]);
    const std::vector<float> output = Floats(reference.outputs[0]);
    const int64_t b = s.channel_block == 0 ? 1 : s.channel_block;
    const int64_t blocks = (s.co + b - 1) / b;
    const int64_t oh = s.OutputHeight();
    const int64_t ow = s.OutputWidth();
    ASSERT_EQ(output.size(), static_cast<size_t>(s.n * blocks * oh * ow * b));
    for (size_t i = 0; i < output.size(); ++i) {
      const int64_t pixel = i / b % (oh * ow);
      const int64_t co = i / (b * oh * ow) % blocks * b + i % b;
      const double expected =
          co >= s.co ? 0 : ConvAt(s, b, data, weight, i / (b * oh * ow * blocks), co, pixel / ow, pixel % ow);
      ASSERT_NEAR(output[i], expected, 1e-6) << op << " element " << i;
    }
  }
}

TEST(ReferenceTest, MatmulsMatchTheTextbookSum) {
  for (const int ta : {0, 1}) {
    for (const int tb : {0, 1}) {
      const v1::Workload workload =
          Parsed("matmul(batch=2,m=3,n=5,k=4,ta=" + std::to_string(ta) + ",tb=" + std::to_string(tb) + ")");
      const Reference reference = Computed(workload);
      const std::vector<float> a = Filled(workload.tensors(0), reference.fills[0]);
      const std::vector<float> b = Filled(workload.tensors(1), reference.fills[1]);
      const std::vector<float> output = Floats(reference.outputs[0]);
      for (int i = 0; i < 2 * 3 * 5; ++i) {
        const int batch = i / 15;
        const int m = i / 5 % 3;
        const int n = i % 5;
        double sum = 0;
        for (int k = 0; k < 4; ++k) {
          sum += static_cast<double>(a[batch * 12 + (ta ? k * 3 + m : m * 4 + k)]) *
                 b[batch * 20 + (tb ? n * 4 + k : k * 5 + n)];
        }
        ASSERT_NEAR(output[i], sum, 1e-6) << "ta " << ta << " tb " << tb << " element " << i;
      }
    }
  }
}

TEST(ReferenceTest, EpiloguesRunInTheirOrderAndReluHasNothingOrMuchToCutOff) {
  for (const bool relu_first : {false, true}) {
    const v1::Workload workload = Parsed(relu_first ? "dense(m=3,n=4,k=5)+relu+bias" : "dense(m=3,n=4,k=5)+bias+relu");
    const Reference reference = Computed(workload);
    const std::vector<float> weight = Filled(workload.tensors(1), reference.fills[1]);
    const std::vector<float> bias = Filled(workload.tensors(2), reference.fills[2]);
    ASSERT_EQ(reference.second_fills.size(), 1u);
    EXPECT_EQ(reference.second_fills[0].buffer(), 0);
    EXPECT_EQ(reference.checks[0].second_reference_digest(), common::Sha256(reference.second_outputs[0]));
    const std::pair<v1::BufferFill, std::string> runs[] = {{reference.fills[0], reference.outputs[0]},
                                                           {reference.second_fills[0], reference.second_outputs[0]}};
    for (const auto& [fill, bytes] : runs) {
      const std::vector<float> data = Filled(workload.tensors(0), fill);
      const std::vector<float> output = Floats(bytes);
      for (int i = 0; i < 12; ++i) {
        float sum = 0;
        for (int k = 0; k < 5; ++k) sum += data[i / 4 * 5 + k] * weight[i % 4 * 5 + k];
        const float shifted = relu_first ? std::max(sum, 0.0F) + bias[i % 4] : std::max(sum + bias[i % 4], 0.0F);
        EXPECT_EQ(output[i], shifted);
        EXPECT_EQ(sum > 0, fill.lattice().sign() == v1::SIGN_POSITIVE);
      }
    }
  }
  EXPECT_TRUE(Computed(Parsed("dense(m=3,n=4,k=5)+bias")).second_fills.empty());
}

TEST(ReferenceTest, AnyOrderOfSummationIsExactAndALostProductShowsInEveryOutput) {
  for (const int k : {1, 300, 4607, 70000}) {
    const v1::Workload workload = Parsed("dense(m=4,n=4,k=" + std::to_string(k) + ")+bias");
    const Reference reference = Computed(workload);
    const std::vector<float> data = Filled(workload.tensors(0), reference.fills[0]);
    const std::vector<float> weight = Filled(workload.tensors(1), reference.fills[1]);
    const std::vector<float> bias = Filled(workload.tensors(2), reference.fills[2]);
    const std::vector<float> output = Floats(reference.outputs[0]);
    const v1::OutputCheck& check = reference.checks[0];
    EXPECT_EQ(check.reference_digest(), common::Sha256(reference.outputs[0]));
    EXPECT_EQ(check.buffer(), 3);
    EXPECT_EQ(check.relative(), 0);
    for (int i = 0; i < 16; ++i) {
      float forward = bias[i % 4];
      float halves[2] = {0, 0};  // the odd and the even ones, backwards
      float smallest = 2;
      for (int j = 0; j < k; ++j) forward += data[i / 4 * k + j] * weight[i % 4 * k + j];
      for (int j = k - 1; j >= 0; --j) {
        const float product = data[i / 4 * k + j] * weight[i % 4 * k + j];
        halves[j % 2] += product;
        smallest = std::min(smallest, std::abs(product));
      }
      EXPECT_EQ(forward, output[i]) << "k " << k;
      EXPECT_EQ(halves[0] + halves[1] + bias[i % 4], output[i]) << "k " << k;
      EXPECT_GT(smallest, 2 * check.absolute()) << "k " << k;
    }
  }
}

TEST(ReferenceTest, Int8SumsAreExactIntegersToBeEqualedExactly) {
  const v1::Workload workload = Parsed("dense(m=2,n=3,k=700,dtype=int8)+bias+relu");
  const Reference reference = Computed(workload);
  EXPECT_EQ(reference.checks[0].dtype(), v1::DATA_TYPE_INT32);
  EXPECT_EQ(reference.checks[0].absolute(), 0);
  EXPECT_EQ(reference.checks[0].relative(), 0);
  std::vector<int8_t> data(2 * 700), weight(3 * 700);
  std::vector<int32_t> bias(3), output(6);
  const auto bytes_of = [](auto& values) { return std::as_writable_bytes(std::span(values)); };
  ASSERT_TRUE(common::FillBuffer(reference.fills[1], bytes_of(weight)).ok());
  ASSERT_TRUE(common::FillBuffer(reference.fills[2], bytes_of(bias)).ok());
  const std::pair<v1::BufferFill, std::string> runs[] = {{reference.fills[0], reference.outputs[0]},
                                                         {reference.second_fills[0], reference.second_outputs[0]}};
  for (const auto& [fill, bytes] : runs) {
    ASSERT_TRUE(common::FillBuffer(fill, bytes_of(data)).ok());
    ASSERT_EQ(bytes.size(), sizeof(int32_t) * output.size());
    std::memcpy(output.data(), bytes.data(), bytes.size());
    for (int i = 0; i < 6; ++i) {
      int32_t sum = bias[i % 3];
      for (int k = 0; k < 700; ++k) sum += data[i / 3 * 700 + k] * weight[i % 3 * 700 + k];
      EXPECT_EQ(output[i], std::max(sum, 0));
    }
  }
}

TEST(ReferenceTest, ReductionsTooLongForExactSumsHaveADerivedTolerance) {
  const v1::Workload workload = Parsed("dense(m=1,n=1,k=4194304)");
  const Reference reference = Computed(workload);
  const std::vector<float> data = Filled(workload.tensors(0), reference.fills[0]);
  const std::vector<float> weight = Filled(workload.tensors(1), reference.fills[1]);
  float sum = 0;
  for (size_t i = 0; i < data.size(); ++i) sum += data[i] * weight[i];
  const v1::OutputCheck& check = reference.checks[0];
  EXPECT_GT(check.relative(), 0);
  EXPECT_LE(std::abs(sum - Floats(reference.outputs[0])[0]), check.absolute());
}

TEST(ReferenceTest, WithoutItsOutputsItSaysTheRest) {
  for (const char* op : {"conv2d(h=5,w=7,ci=3,co=5,k=3,p=1,layout=NCHW4c)+bias+relu",
                         "depthwise_conv2d(h=5,w=6,c=3,k=3,p=1,layout=NCHW)", "matmul(batch=2,m=5,n=7,k=3,ta=1)"}) {
    const v1::Workload workload = ParseOperator(op).value();
    const Reference whole = ComputeReference(workload, 11).value();
    const Reference part = ReferenceWithoutOutputs(workload, 11).value();
    EXPECT_TRUE(part.outputs.empty());
    EXPECT_TRUE(part.second_outputs.empty());
    EXPECT_EQ(part.magnitudes, whole.magnitudes);
    ASSERT_EQ(part.fills.size(), whole.fills.size());
    EXPECT_EQ(part.second_fills.size(), whole.second_fills.size());
    for (size_t i = 0; i < part.fills.size(); ++i) {
      EXPECT_EQ(part.fills[i].SerializeAsString(), whole.fills[i].SerializeAsString());
    }
    v1::OutputCheck check = whole.checks.at(0);
    check.clear_reference_digest();
    check.clear_second_reference_digest();
    EXPECT_EQ(part.checks.at(0).SerializeAsString(), check.SerializeAsString());
  }
}

}  // namespace
}  // namespace tunefleet::codegen
