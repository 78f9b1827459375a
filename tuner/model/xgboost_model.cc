#include "tuner/model/xgboost_model.h"

#include <xgboost/c_api.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/status_macros.h"

namespace tunefleet::tuner {
namespace {

absl::Status Check(int code, absl::string_view what) {
  if (code == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("xgboost: ", what, ": ", XGBGetLastError()));
}

// Owns one of the library's handles.
template <int (*Free)(void*)>
class Handle {
 public:
  Handle() = default;
  Handle(Handle&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Handle() {
    if (handle_ != nullptr) Free(handle_);
  }
  void* get() const { return handle_; }
  void** out() { return &handle_; }

 private:
  void* handle_ = nullptr;
};
using Matrix = Handle<XGDMatrixFree>;
using Booster = Handle<XGBoosterFree>;

// The matrix as the library's JSON "array interface"; the memory stays ours.
std::string ArrayInterface(const FeatureMatrix& features) {
  return absl::StrCat("{\"data\":[", reinterpret_cast<uintptr_t>(features.values.data()), ",true],\"shape\":[",
                      features.rows(), ",", features.columns, "],\"typestr\":\"<f4\",\"version\":3}");
}

absl::Status CheckShape(const FeatureMatrix& features) {
  if (features.columns > 0 && features.values.size() % features.columns == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("feature matrix of ", features.values.size(),
                                                 " values is no whole number of rows of ", features.columns));
}

class XgboostModel : public CostModel {
 public:
  explicit XgboostModel(const XgboostOptions& options) : options_(options) {}

  absl::Status Update(const FeatureMatrix& features, absl::Span<const float> throughput) override {
    TF_RETURN_IF_ERROR(CheckShape(features));
    if (features.rows() == 0 || features.rows() != static_cast<int>(throughput.size())) {
      return absl::InvalidArgumentError(
          absl::StrCat("model update with ", features.rows(), " feature rows and ", throughput.size(), " results"));
    }
    Matrix matrix;
    TF_RETURN_IF_ERROR(Check(
        XGDMatrixCreateFromDense(ArrayInterface(features).c_str(), "{\"missing\":NaN,\"nthread\":1}", matrix.out()),
        "make matrix"));
    TF_RETURN_IF_ERROR(
        Check(XGDMatrixSetFloatInfo(matrix.get(), "label", throughput.data(), throughput.size()), "set labels"));
    if (options_.objective == XgboostOptions::Objective::kPairwiseRank) {
      // One group: every pair of candidates may be compared. The labels' order is all that counts.
      const auto all = static_cast<unsigned>(features.rows());
      TF_RETURN_IF_ERROR(Check(XGDMatrixSetUIntInfo(matrix.get(), "group", &all, 1), "set group"));
    }
    Booster booster;
    TF_RETURN_IF_ERROR(Check(XGBoosterCreate(matrix.out(), 1, booster.out()), "make booster"));
    for (const auto& [name, value] : Parameters()) {
      TF_RETURN_IF_ERROR(Check(XGBoosterSetParam(booster.get(), name.c_str(), value.c_str()), name));
    }
    for (int round = 0; round < options_.rounds; ++round) {
      TF_RETURN_IF_ERROR(Check(XGBoosterUpdateOneIter(booster.get(), round, matrix.get()), "train"));
    }
    booster_ = std::move(booster);
    columns_ = features.columns;
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<float>> Predict(const FeatureMatrix& features) const override {
    if (booster_.get() == nullptr) return absl::FailedPreconditionError("model asked before its first update");
    TF_RETURN_IF_ERROR(CheckShape(features));
    if (features.columns != columns_) {
      return absl::InvalidArgumentError(
          absl::StrCat("model trained on ", columns_, " features asked about ", features.columns));
    }
    if (features.rows() == 0) return std::vector<float>();
    const uint64_t* shape = nullptr;
    uint64_t dimensions = 0;
    const float* scores = nullptr;
    TF_RETURN_IF_ERROR(
        Check(XGBoosterPredictFromDense(booster_.get(), ArrayInterface(features).c_str(),
                                        "{\"type\":1,\"training\":false,\"iteration_begin\":0,\"iteration_end\":0,"
                                        "\"strict_shape\":false,\"cache_id\":0,\"missing\":NaN}",
                                        nullptr, reinterpret_cast<const bst_ulong**>(&shape),
                                        reinterpret_cast<bst_ulong*>(&dimensions), &scores),
              "predict"));
    return std::vector<float>(scores, scores + features.rows());
  }

 private:
  std::vector<std::pair<std::string, std::string>> Parameters() const {
    const bool rank = options_.objective == XgboostOptions::Objective::kPairwiseRank;
    return {{"verbosity", "0"},
            {"objective", rank ? "rank:pairwise" : "reg:squarederror"},
            {"disable_default_eval_metric", "1"},
            {"tree_method", "hist"},
            {"nthread", "1"},
            {"seed", absl::StrCat(options_.seed)},
            {"max_depth", absl::StrCat(options_.max_depth)},
            {"eta", absl::StrCat(options_.eta)},
            {"gamma", absl::StrCat(options_.gamma)},
            {"min_child_weight", absl::StrCat(options_.min_child_weight)}};
  }

  const XgboostOptions options_;
  Booster booster_;
  int columns_ = 0;
};

}  // namespace

std::unique_ptr<CostModel> MakeXgboostModel(const XgboostOptions& options) {
  return std::make_unique<XgboostModel>(options);
}

}  // namespace tunefleet::tuner
