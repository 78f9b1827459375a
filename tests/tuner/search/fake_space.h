// Spaces for tests: plain grids, and one whose knobs depend on each other.
#ifndef TUNEFLEET_TESTS_TUNER_SEARCH_FAKE_SPACE_H_
#define TUNEFLEET_TESTS_TUNER_SEARCH_FAKE_SPACE_H_

#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "codegen/spaces/schedule_space.h"

namespace tunefleet::tuner {

class FakeSpace : public codegen::ScheduleSpace {
 public:
  using DomainFunction = std::function<std::vector<int64_t>(absl::Span<const int64_t> prefix)>;

  FakeSpace(std::string name, int knobs, DomainFunction domain) : name_(std::move(name)), domain_(std::move(domain)) {
    for (int i = 0; i < knobs; ++i) knobs_.push_back(absl::StrCat("k", i));
  }

  const std::string& name() const override { return name_; }
  int version() const override { return version_; }
  const std::vector<std::string>& knobs() const override { return knobs_; }
  std::vector<int64_t> Domain(absl::Span<const int64_t> prefix) const override { return domain_(prefix); }
  absl::StatusOr<v1::Schedule> ToSchedule(const codegen::Values& values) const override {
    if (!codegen::Contains(*this, values)) return absl::InvalidArgumentError("not of this space");
    v1::Schedule schedule;
    schedule.set_implementation(name_);
    v1::PrimitiveCall& call = *schedule.add_calls();
    call.set_primitive("fake");
    v1::PrimitiveArgument& argument = *call.add_arguments();
    argument.set_name("values");
    argument.mutable_ints()->mutable_values()->Add(values.begin(), values.end());
    return schedule;
  }
  const codegen::LoopNest& Fresh() const override { return nest_; }
  std::vector<float> KnobFeatures(const codegen::Values& values) const override {
    return std::vector<float>(values.begin(), values.end());
  }

  double DraftCycles(const codegen::Values& values) const override { return draft_ == nullptr ? -1 : draft_(values); }

  void set_version(int version) { version_ = version; }
  void set_draft(std::function<double(const codegen::Values&)> draft) { draft_ = std::move(draft); }

 private:
  const std::string name_;
  const DomainFunction domain_;
  std::function<double(const codegen::Values&)> draft_;
  std::vector<std::string> knobs_;
  codegen::LoopNest nest_;
  int version_ = 1;
};

// Every knob counts from 0 to size - 1.
inline std::unique_ptr<FakeSpace> MakeGridSpace(const std::string& name, std::vector<int64_t> sizes) {
  const int knobs = static_cast<int>(sizes.size());
  return std::make_unique<FakeSpace>(name, knobs, [sizes = std::move(sizes)](absl::Span<const int64_t> prefix) {
    std::vector<int64_t> domain(sizes[prefix.size()]);
    for (size_t i = 0; i < domain.size(); ++i) domain[i] = static_cast<int64_t>(i);
    return domain;
  });
}

// Powers of two whose product is at most `limit`: each domain depends on the knobs before.
inline std::unique_ptr<FakeSpace> MakeTileSpace(const std::string& name, int knobs, int64_t limit) {
  return std::make_unique<FakeSpace>(name, knobs, [limit](absl::Span<const int64_t> prefix) {
    int64_t left = limit;
    for (const int64_t value : prefix) left /= value;
    std::vector<int64_t> domain;
    for (int64_t value = 1; value <= left; value *= 2) domain.push_back(value);
    return domain;
  });
}

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TESTS_TUNER_SEARCH_FAKE_SPACE_H_
