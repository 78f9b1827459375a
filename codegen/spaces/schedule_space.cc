#include "codegen/spaces/schedule_space.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "absl/random/distributions.h"
#include "absl/strings/str_cat.h"

namespace tunefleet::codegen {
namespace {

constexpr double kLargestSize = 4611686018427387904.0;  // 2^62

// Counts configs below the prefix, giving up past `limit`.
int64_t CountBelow(const ScheduleSpace& space, Values& prefix, int64_t limit) {
  if (prefix.size() == space.knobs().size()) return 1;
  const std::vector<int64_t> domain = space.Domain(prefix);
  if (prefix.size() + 1 == space.knobs().size()) return domain.size();
  int64_t count = 0;
  for (const int64_t value : domain) {
    prefix.push_back(value);
    count += CountBelow(space, prefix, limit - count);
    prefix.pop_back();
    if (count > limit) break;
  }
  return count;
}

int64_t Nearest(const std::vector<int64_t>& domain, int64_t value) {
  return *std::min_element(domain.begin(), domain.end(),
                           [&](int64_t a, int64_t b) { return std::abs(a - value) < std::abs(b - value); });
}

bool InDomain(const ScheduleSpace& space, absl::Span<const int64_t> prefix, int64_t value) {
  const std::vector<int64_t> domain = space.Domain(prefix);
  return std::binary_search(domain.begin(), domain.end(), value);
}

}  // namespace

double SpaceSize(const ScheduleSpace& space) {
  constexpr int64_t kCounted = 20000;
  Values prefix;
  const int64_t counted = CountBelow(space, prefix, kCounted);
  if (counted <= kCounted) return static_cast<double>(counted);

  // The product of the domain sizes along a uniform random walk has the number of leaves as its expectation (Knuth,
  // Estimating the efficiency of backtrack programs, 1975).
  constexpr int kWalks = 2000;
  std::mt19937_64 random(1);
  double sum = 0;
  for (int walk = 0; walk < kWalks; ++walk) {
    Values values;
    double product = 1;
    while (values.size() < space.knobs().size()) {
      const std::vector<int64_t> domain = space.Domain(values);
      product *= static_cast<double>(domain.size());
      values.push_back(domain[absl::Uniform<size_t>(random, 0, domain.size())]);
    }
    sum += product;
  }
  return std::min(sum / kWalks, kLargestSize);
}

Values FirstValues(const ScheduleSpace& space) {
  Values values;
  while (values.size() < space.knobs().size()) values.push_back(space.Domain(values).front());
  return values;
}

Values RandomValues(const ScheduleSpace& space, absl::BitGenRef random) {
  Values values;
  while (values.size() < space.knobs().size()) {
    const std::vector<int64_t> domain = space.Domain(values);
    values.push_back(domain[absl::Uniform<size_t>(random, 0, domain.size())]);
  }
  return values;
}

Values DraftedValues(const ScheduleSpace& space, int draws, absl::BitGenRef random) {
  Values best = RandomValues(space, random);
  double least = space.DraftCycles(best);
  for (int draw = 1; draw < draws && least >= 0; ++draw) {
    Values values = RandomValues(space, random);
    const double cycles = space.DraftCycles(values);
    if (cycles >= least) continue;
    best = std::move(values);
    least = cycles;
  }
  return best;
}

Values Neighbour(const ScheduleSpace& space, const Values& values, absl::BitGenRef random) {
  // Knobs are drawn without replacement until one has a choice: uniform over those that do, and few domains are made.
  std::vector<size_t> knobs(values.size());
  std::iota(knobs.begin(), knobs.end(), size_t{0});
  while (!knobs.empty()) {
    std::swap(knobs[absl::Uniform<size_t>(random, 0, knobs.size())], knobs.back());
    const size_t knob = knobs.back();
    knobs.pop_back();
    Values neighbour(values.begin(), values.begin() + static_cast<int64_t>(knob));
    std::vector<int64_t> domain = space.Domain(neighbour);
    std::erase(domain, values[knob]);
    if (domain.empty()) continue;
    neighbour.push_back(domain[absl::Uniform<size_t>(random, 0, domain.size())]);
    while (neighbour.size() < values.size()) {
      neighbour.push_back(Nearest(space.Domain(neighbour), values[neighbour.size()]));
    }
    return neighbour;
  }
  return values;
}

bool Contains(const ScheduleSpace& space, const Values& values) {
  if (values.size() != space.knobs().size()) return false;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!InDomain(space, absl::MakeConstSpan(values).first(i), values[i])) return false;
  }
  return true;
}

v1::Config ToConfig(const ScheduleSpace& space, const Values& values) {
  v1::Config config;
  config.set_space(space.name());
  config.set_space_version(space.version());
  for (size_t i = 0; i < values.size(); ++i) {
    v1::KnobValue& knob = *config.add_knobs();
    knob.set_name(space.knobs()[i]);
    knob.set_value(values[i]);
  }
  return config;
}

absl::StatusOr<Values> FromConfig(const ScheduleSpace& space, const v1::Config& config) {
  if (config.space() != space.name() || config.space_version() != space.version()) {
    return absl::FailedPreconditionError(absl::StrCat("the config belongs to space ", config.space(), " version ",
                                                      config.space_version(), ", not to ", space.name(), " version ",
                                                      space.version()));
  }
  Values values;
  for (const v1::KnobValue& knob : config.knobs()) {
    if (values.size() == space.knobs().size() || knob.name() != space.knobs()[values.size()]) {
      return absl::InvalidArgumentError(
          absl::StrCat("the config's knob number ", values.size(), " is '", knob.name(), "'; expected ",
                       values.size() == space.knobs().size() ? "no more" : space.knobs()[values.size()]));
    }
    if (!InDomain(space, values, knob.value())) {
      return absl::InvalidArgumentError(
          absl::StrCat("the config's knob '", knob.name(), "' = ", knob.value(), " is outside its domain"));
    }
    values.push_back(knob.value());
  }
  if (values.size() != space.knobs().size()) {
    return absl::InvalidArgumentError(absl::StrCat("the config lacks knob '", space.knobs()[values.size()], "'"));
  }
  return values;
}

}  // namespace tunefleet::codegen
