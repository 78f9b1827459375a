#include "tuner/model/xgboost_model.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace tunefleet::tuner {
namespace {

using Objective = XgboostOptions::Objective;

struct Data {
  FeatureMatrix features;
  std::vector<float> throughput;
};

// A landscape with an interaction and a column of noise.
Data MakeData(int rows, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(0, 1);
  Data data;
  data.features.columns = 6;
  for (int row = 0; row < rows; ++row) {
    float x[6];
    for (float& value : x) value = uniform(random);
    data.features.values.insert(data.features.values.end(), x, x + 6);
    data.throughput.push_back((x[0] > 0.5f ? x[1] : 1 - x[1]) * 0.6f + 0.4f * x[2] * x[3]);
  }
  return data;
}

// Share of pairs that the scores order as the truth does.
double PairAccuracy(const std::vector<float>& scores, const std::vector<float>& truth) {
  int64_t right = 0;
  int64_t pairs = 0;
  for (size_t i = 0; i < truth.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (truth[i] == truth[j]) continue;
      ++pairs;
      right += (scores[i] > scores[j]) == (truth[i] > truth[j]);
    }
  }
  return static_cast<double>(right) / static_cast<double>(pairs);
}

class XgboostModelTest : public testing::TestWithParam<Objective> {};

TEST_P(XgboostModelTest, OrdersPairsItHasNotSeen) {
  auto model = MakeXgboostModel({.objective = GetParam()});
  const Data train = MakeData(400, 1);
  const Data test = MakeData(300, 2);
  ASSERT_TRUE(model->Update(train.features, train.throughput).ok());
  const auto scores = model->Predict(test.features);
  ASSERT_TRUE(scores.ok()) << scores.status();
  EXPECT_GT(PairAccuracy(*scores, test.throughput), 0.78);
}

TEST_P(XgboostModelTest, EqualDataGiveAnEqualModel) {
  const Data train = MakeData(200, 3);
  auto a = MakeXgboostModel({.objective = GetParam(), .seed = 7});
  auto b = MakeXgboostModel({.objective = GetParam(), .seed = 7});
  ASSERT_TRUE(b->Update(MakeData(50, 9).features, MakeData(50, 9).throughput).ok());  // history must not matter
  ASSERT_TRUE(a->Update(train.features, train.throughput).ok());
  ASSERT_TRUE(b->Update(train.features, train.throughput).ok());
  EXPECT_EQ(a->Predict(train.features).value(), b->Predict(train.features).value());
}

TEST_P(XgboostModelTest, LearnsFromEqualResults) {
  auto model = MakeXgboostModel({.objective = GetParam()});
  const Data train = MakeData(20, 4);
  ASSERT_TRUE(model->Update(train.features, std::vector<float>(20, 0.0f)).ok());
  EXPECT_EQ(model->Predict(train.features)->size(), 20);
}

INSTANTIATE_TEST_SUITE_P(Objectives, XgboostModelTest,
                         testing::Values(Objective::kPairwiseRank, Objective::kRegression),
                         [](const auto& info) { return info.param == Objective::kRegression ? "Regression" : "Rank"; });

TEST(XgboostModelErrorsTest, RefusesToPredictBeforeItLearned) {
  EXPECT_EQ(MakeXgboostModel({})->Predict(MakeData(3, 1).features).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(XgboostModelErrorsTest, RefusesMismatchedShapes) {
  auto model = MakeXgboostModel({});
  const Data data = MakeData(10, 1);
  EXPECT_EQ(model->Update(data.features, {1.0f}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(model->Update({}, {}).code(), absl::StatusCode::kInvalidArgument);
  ASSERT_TRUE(model->Update(data.features, data.throughput).ok());
  EXPECT_EQ(model->Predict({.columns = 2, .values = {1, 2}}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(model->Predict({.columns = 6, .values = {1, 2}}).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tunefleet::tuner
