#include "device_server/verify/compare.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace tunefleet::device {
namespace {

v1::OutputCheck Check(v1::DataType dtype, double absolute, double relative) {
  v1::OutputCheck check;
  check.set_dtype(dtype);
  check.set_absolute(absolute);
  check.set_relative(relative);
  return check;
}

template <typename T>
Comparison Judge(const std::vector<T>& value, const std::vector<T>& reference, const v1::OutputCheck& check) {
  return Compare(std::as_bytes(std::span(value)), std::as_bytes(std::span(reference)), check);
}

TEST(CompareTest, JudgesLikeTheDefinitionOnRandomValues) {
  std::mt19937 random(3);
  std::uniform_real_distribution<float> values(-2, 2);
  std::uniform_real_distribution<float> errors(-0.02f, 0.02f);
  for (int round = 0; round < 300; ++round) {
    const size_t count = random() % 70;  // under, at and over the block size
    std::vector<float> value, reference;
    bool pass = true;
    double worst = 0;
    for (size_t i = 0; i < count; ++i) {
      reference.push_back(values(random));
      value.push_back(random() % 30 == 0 ? reference[i] + errors(random) : reference[i]);
      const double error = std::abs(static_cast<double>(value[i]) - reference[i]);
      pass &= error <= 0.01 + 0.001 * std::abs(static_cast<double>(reference[i]));
      worst = std::max(worst, error);
    }
    const Comparison result = Judge(value, reference, Check(v1::DATA_TYPE_FLOAT32, 0.01, 0.001));
    EXPECT_EQ(result.pass, pass);
    EXPECT_NEAR(result.max_error, worst, 1e-6);
    if (std::abs(result.max_error_ratio - 1) > 1e-3) {
      EXPECT_EQ(result.max_error_ratio <= 1, pass);
    }
  }
}

TEST(CompareTest, ANumberThatIsNoneFailsWhereverItStands) {
  for (const size_t at : {0u, 15u, 16u, 40u, 49u}) {
    std::vector<float> value(50, 1.0f), reference(50, 1.0f);
    value[at] = std::numeric_limits<float>::quiet_NaN();
    const Comparison result = Judge(value, reference, Check(v1::DATA_TYPE_FLOAT32, 1e30, 1e30));
    EXPECT_FALSE(result.pass);
    EXPECT_EQ(result.first_wrong, at);
    EXPECT_TRUE(std::isinf(result.max_error));
    EXPECT_TRUE(std::isnan(result.value));
  }
}

TEST(CompareTest, EqualInfinitiesPassAndUnequalOnesFail) {
  const float infinity = std::numeric_limits<float>::infinity();
  std::vector<float> value(20, 1.0f), reference(20, 1.0f);
  value[3] = reference[3] = infinity;
  EXPECT_TRUE(Judge(value, reference, Check(v1::DATA_TYPE_FLOAT32, 1e-6, 0)).pass);
  value[3] = -infinity;
  EXPECT_FALSE(Judge(value, reference, Check(v1::DATA_TYPE_FLOAT32, 1e-6, 0)).pass);
}

TEST(CompareTest, AZeroToleranceDemandsEquality) {
  std::vector<int32_t> value = {1, 2, 3}, reference = {1, 2, 3};
  EXPECT_TRUE(Judge(value, reference, Check(v1::DATA_TYPE_INT32, 0, 0)).pass);
  value[2] = 4;
  const Comparison result = Judge(value, reference, Check(v1::DATA_TYPE_INT32, 0, 0));
  EXPECT_FALSE(result.pass);
  EXPECT_EQ(result.first_wrong, 2u);
  EXPECT_EQ(result.value, 4);
  EXPECT_EQ(result.reference, 3);
}

TEST(CompareTest, EveryElementTypeIsJudged) {
  EXPECT_FALSE(Judge<int8_t>({1, -128}, {1, 127}, Check(v1::DATA_TYPE_INT8, 200, 0)).pass);
  EXPECT_TRUE(Judge<int8_t>({1, -128}, {1, 127}, Check(v1::DATA_TYPE_INT8, 255, 0)).pass);
  EXPECT_FALSE(Judge<double>({1 + 1e-12}, {1}, Check(v1::DATA_TYPE_FLOAT64, 1e-13, 0)).pass);
  EXPECT_TRUE(Judge<double>({1 + 1e-12}, {1}, Check(v1::DATA_TYPE_FLOAT64, 0, 1e-11)).pass);
}

TEST(CompareTest, PoisonNeverPasses) {
  std::vector<float> value(33, 0.0f), reference(33, 0.0f);
  Poison(v1::DATA_TYPE_FLOAT32, std::as_writable_bytes(std::span(value)));
  EXPECT_TRUE(std::isnan(value[32]));
  EXPECT_FALSE(Judge(value, reference, Check(v1::DATA_TYPE_FLOAT32, 1e30, 0)).pass);
}

}  // namespace
}  // namespace tunefleet::device
