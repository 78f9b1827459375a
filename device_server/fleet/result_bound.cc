#include "device_server/fleet/result_bound.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace tunefleet::device {
namespace {

constexpr size_t kMostDetailBytes = 512;
constexpr double kStep = 0.9;  // shares of the samples that are tried

int CountSamples(const v1::TrialResult& result) {
  int count = 0;
  for (const v1::KernelResult& kernel : result.kernels()) count += kernel.samples_size();
  return count;
}

v1::TrialResult Thinned(const v1::TrialResult& result, double share) {
  v1::TrialResult thin = result;
  for (int k = 0; k < result.kernels_size(); ++k) {
    const auto& all = result.kernels(k).samples();
    auto& kept = *thin.mutable_kernels(k)->mutable_samples();
    kept.Clear();
    const int count = static_cast<int>(share * all.size());
    for (int i = 0; i < count; ++i) *kept.Add() = all[static_cast<int>(int64_t{i} * all.size() / count)];
  }
  const std::string said = absl::StrCat(CountSamples(thin), " of ", CountSamples(result), " raw samples are kept");
  thin.set_detail(result.detail().empty() ? said
                                          : absl::StrCat(result.detail(), "; ", said).substr(0, kMostDetailBytes));
  return thin;
}

}  // namespace

void BoundResult(v1::TrialResult* result) {
  if (result->ByteSizeLong() <= kMostResultBytes) return;
  v1::TrialResult thin;
  double share = 1;
  do {
    share = share < 0.01 ? 0 : share * kStep;
    thin = Thinned(*result, share);
  } while (thin.ByteSizeLong() > kMostResultBytes && share > 0);
  *result = std::move(thin);
}

}  // namespace tunefleet::device
