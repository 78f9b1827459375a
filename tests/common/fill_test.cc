#include "common/fill.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <set>
#include <vector>

namespace tunefleet::common {
namespace {

v1::BufferFill Seeded(v1::DataType dtype, uint64_t seed) {
  v1::BufferFill fill;
  fill.set_dtype(dtype);
  fill.set_seed(seed);
  return fill;
}

template <typename T>
std::vector<T> Filled(const v1::BufferFill& fill, size_t count) {
  std::vector<T> values(count, T{77});
  const absl::Status status = FillBuffer(fill, std::as_writable_bytes(std::span(values)));
  EXPECT_TRUE(status.ok()) << status;
  return values;
}

TEST(FillTest, IsAFunctionOfSeedAndIndexAlone) {
  const std::vector<float> longer = Filled<float>(Seeded(v1::DATA_TYPE_FLOAT32, 5), 1000);
  const std::vector<float> shorter = Filled<float>(Seeded(v1::DATA_TYPE_FLOAT32, 5), 100);
  EXPECT_TRUE(std::equal(shorter.begin(), shorter.end(), longer.begin()));
  EXPECT_NE(Filled<float>(Seeded(v1::DATA_TYPE_FLOAT32, 6), 100), shorter);
}

// The published outputs of SplitMix64 for state 0: 0xe220a8397b1dcdaf is the first, and so the base of seed 0.
TEST(FillTest, FollowsSplitMix64) {
  const auto mix = [](uint64_t x) {
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
  };
  ASSERT_EQ(mix(0), 0xe220a8397b1dcdafULL);
  const std::vector<float> values = Filled<float>(Seeded(v1::DATA_TYPE_FLOAT32, 0), 64);
  for (uint64_t i = 0; i < values.size(); ++i) {
    const uint64_t top = mix(0xe220a8397b1dcdafULL ^ i) >> 40;  // 24 bits
    EXPECT_EQ(values[i], std::ldexp(static_cast<double>(top), -23) - 1.0) << i;
  }
}

v1::BufferFill Lattice(v1::DataType dtype, uint64_t seed, uint32_t fraction_bits) {
  v1::BufferFill fill;
  fill.set_dtype(dtype);
  fill.mutable_lattice()->set_seed(seed);
  fill.mutable_lattice()->set_fraction_bits(fraction_bits);
  return fill;
}

TEST(FillTest, LatticesHoldEveryMultipleFromOneHalfToOneOfEitherSign) {
  const std::vector<float> values = Filled<float>(Lattice(v1::DATA_TYPE_FLOAT32, 3, 5), 4000);
  std::set<float> seen(values.begin(), values.end());
  EXPECT_EQ(seen.size(), 32u);
  for (const float value : seen) {
    EXPECT_EQ(value * 32, std::floor(value * 32));
    EXPECT_GE(std::abs(value), 0.5F);
    EXPECT_LT(std::abs(value), 1.0F);
  }
  const std::vector<double> doubles = Filled<double>(Lattice(v1::DATA_TYPE_FLOAT64, 3, 5), 4000);
  EXPECT_TRUE(std::equal(doubles.begin(), doubles.end(), values.begin()));
  EXPECT_NE(Filled<float>(Lattice(v1::DATA_TYPE_FLOAT32, 4, 5), 4000), values);
}

TEST(FillTest, EqualSeedsGiveEqualMagnitudesWhateverTheSign) {
  v1::BufferFill fill = Lattice(v1::DATA_TYPE_FLOAT32, 3, 5);
  const std::vector<float> either = Filled<float>(fill, 1000);
  fill.mutable_lattice()->set_sign(v1::SIGN_POSITIVE);
  const std::vector<float> positive = Filled<float>(fill, 1000);
  fill.mutable_lattice()->set_sign(v1::SIGN_NEGATIVE);
  const std::vector<float> negative = Filled<float>(fill, 1000);
  for (size_t i = 0; i < either.size(); ++i) {
    EXPECT_EQ(positive[i], std::abs(either[i]));
    EXPECT_EQ(negative[i], -positive[i]);
  }
}

TEST(FillTest, LatticesOfIntegersHoldTheNumerators) {
  const std::vector<int8_t> values = Filled<int8_t>(Lattice(v1::DATA_TYPE_INT8, 3, 7), 4000);
  EXPECT_EQ(std::set<int8_t>(values.begin(), values.end()).size(), 128u);
  EXPECT_TRUE(std::all_of(values.begin(), values.end(), [](int value) { return std::abs(value) >= 64; }));
  const std::vector<int32_t> words = Filled<int32_t>(Lattice(v1::DATA_TYPE_INT32, 3, 7), 4000);
  EXPECT_TRUE(std::equal(words.begin(), words.end(), values.begin()));
  v1::BufferFill fill = Lattice(v1::DATA_TYPE_INT8, 3, 7);
  fill.mutable_lattice()->set_sign(v1::SIGN_NEGATIVE);
  const std::vector<int8_t> negative = Filled<int8_t>(fill, 4000);
  for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(negative[i], -std::abs(values[i]));
}

TEST(FillTest, LatticesOfNoBitsOrTooManyAreRefused) {
  std::vector<std::byte> bytes(8);
  EXPECT_TRUE(FillBuffer(Lattice(v1::DATA_TYPE_FLOAT32, 1, 1), bytes).ok());
  EXPECT_TRUE(FillBuffer(Lattice(v1::DATA_TYPE_FLOAT32, 1, 23), bytes).ok());
  EXPECT_FALSE(FillBuffer(Lattice(v1::DATA_TYPE_FLOAT32, 1, 0), bytes).ok());
  EXPECT_FALSE(FillBuffer(Lattice(v1::DATA_TYPE_FLOAT32, 1, 24), bytes).ok());
  EXPECT_TRUE(FillBuffer(Lattice(v1::DATA_TYPE_INT8, 1, 7), bytes).ok());
  EXPECT_FALSE(FillBuffer(Lattice(v1::DATA_TYPE_INT8, 1, 8), bytes).ok());
}

TEST(FillTest, FloatsLieOnAGridInTheirRange) {
  const std::vector<double> values = Filled<double>(Seeded(v1::DATA_TYPE_FLOAT64, 9), 20000);
  double sum = 0;
  double low = 1;
  double high = -1;
  for (const double value : values) {
    ASSERT_EQ(std::ldexp(value, 23), std::floor(std::ldexp(value, 23)));
    low = std::min(low, value);
    high = std::max(high, value);
    sum += value;
  }
  EXPECT_GE(low, -1.0);
  EXPECT_LT(high, 1.0);
  EXPECT_LT(low, -0.99);
  EXPECT_GT(high, 0.99);
  EXPECT_LT(std::abs(sum / static_cast<double>(values.size())), 0.02);
}

TEST(FillTest, IntegersTakeEveryValueOfTheirRange) {
  const std::vector<int32_t> words = Filled<int32_t>(Seeded(v1::DATA_TYPE_INT32, 3), 2000);
  EXPECT_EQ(std::set<int32_t>(words.begin(), words.end()).size(), 16u);
  EXPECT_EQ(*std::min_element(words.begin(), words.end()), -8);
  EXPECT_EQ(*std::max_element(words.begin(), words.end()), 7);
  const std::vector<int8_t> bytes = Filled<int8_t>(Seeded(v1::DATA_TYPE_INT8, 3), 2000);
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), words.begin()));
}

// A tensor [2, 3, 5, 4] of 10 channels in blocks of 4: channel c of element (n, co, x, ci) is co * 4 + ci.
TEST(FillTest, PaddingLanesAreZeroAndOthersAreNot) {
  v1::BufferFill fill = Seeded(v1::DATA_TYPE_FLOAT32, 1);
  v1::PaddedAxis* axis = fill.add_padded();
  axis->set_outer_stride(20);
  axis->set_outer_extent(3);
  axis->set_inner_stride(1);
  axis->set_block(4);
  axis->set_extent(10);
  const std::vector<float> padded = Filled<float>(fill, 120);
  fill.clear_padded();
  const std::vector<float> plain = Filled<float>(fill, 120);
  size_t i = 0;
  for (int n = 0; n < 2; ++n) {
    for (int co = 0; co < 3; ++co) {
      for (int x = 0; x < 5; ++x) {
        for (int ci = 0; ci < 4; ++ci, ++i) {
          EXPECT_EQ(padded[i], co * 4 + ci >= 10 ? 0 : plain[i]) << i;
        }
      }
    }
  }
}

TEST(FillTest, AnyPaddedAxisMakesALaneZero) {
  v1::BufferFill fill = Seeded(v1::DATA_TYPE_INT32, 1);
  for (const int stride : {1, 4}) {  // a matrix [4, 4] of which [3, 2] is real
    v1::PaddedAxis* axis = fill.add_padded();
    axis->set_outer_stride(16);
    axis->set_outer_extent(1);
    axis->set_inner_stride(stride);
    axis->set_block(4);
    axis->set_extent(stride == 1 ? 2 : 3);
  }
  for (uint64_t row = 0; row < 4; ++row) {
    for (uint64_t column = 0; column < 4; ++column) {
      EXPECT_EQ(IsPadding(fill, row * 4 + column), row >= 3 || column >= 2);
    }
  }
}

TEST(FillTest, RefusesWhatItCannotFill) {
  std::vector<std::byte> bytes(10);
  const auto code = [&bytes](const v1::BufferFill& fill) { return FillBuffer(fill, bytes).code(); };
  EXPECT_EQ(code(Seeded(v1::DATA_TYPE_FLOAT32, 1)), absl::StatusCode::kInvalidArgument);  // 10 is no multiple of 4
  EXPECT_EQ(code(Seeded(v1::DATA_TYPE_UNSPECIFIED, 1)), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(Seeded(static_cast<v1::DataType>(99), 1)), absl::StatusCode::kInvalidArgument);
  v1::BufferFill fill;
  fill.set_dtype(v1::DATA_TYPE_INT8);
  EXPECT_EQ(code(fill), absl::StatusCode::kInvalidArgument);
  fill.set_blob_digest("x");
  EXPECT_EQ(code(fill), absl::StatusCode::kInvalidArgument);
  fill.set_seed(1);
  EXPECT_EQ(code(fill), absl::StatusCode::kOk);
  fill.add_padded();  // all zero
  EXPECT_EQ(code(fill), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(DataTypeBytes(v1::DATA_TYPE_UNSPECIFIED), 0);
}

}  // namespace
}  // namespace tunefleet::common
