#include "codegen/spaces/knob_list.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"

namespace tunefleet::codegen {

Knob KnobList::Add(std::string name, std::vector<int64_t> values) {
  return Add(std::move(name), [values = std::move(values)](KnobValues) { return values; });
}

Knob KnobList::Add(std::string name, Domain domain) {
  names_.push_back(std::move(name));
  domains_.push_back(std::move(domain));
  return {names_.size() - 1};
}

std::vector<int64_t> KnobList::DomainAfter(absl::Span<const int64_t> prefix) const {
  TF_CHECK(prefix.size() < domains_.size(), "a prefix holds fewer values than there are knobs");
  std::vector<int64_t> domain = domains_[prefix.size()](KnobValues(prefix));
  TF_CHECK(!domain.empty() && std::is_sorted(domain.begin(), domain.end()),
           absl::StrCat("the domain of knob '", names_[prefix.size()], "' is empty or not ascending"));
  return domain;
}

std::vector<int64_t> UpTo(int64_t last) {
  std::vector<int64_t> values = {1};
  for (int64_t value = 2; value <= last; ++value) values.push_back(value);
  return values;
}

std::vector<int64_t> DivisorsUpTo(int64_t n, int64_t last) {
  std::vector<int64_t> values = {1}, others;
  for (int64_t value = 2; value <= last && value * value <= n; ++value) {
    if (n % value == 0) values.push_back(value);
  }
  for (const int64_t value : values) {
    if (const int64_t other = n / value; other > values.back() && other <= last) others.push_back(other);
  }
  values.insert(values.end(), others.rbegin(), others.rend());
  return values;
}

std::vector<int64_t> Those(std::vector<int64_t> values, const std::function<bool(int64_t)>& keep) {
  std::vector<int64_t> kept;
  std::copy_if(values.begin(), values.end(), std::back_inserter(kept), keep);
  if (kept.empty()) kept.push_back(values.front());
  return kept;
}

std::vector<int64_t> Rated(const std::vector<int64_t>& values, int64_t enough,
                           const std::function<int64_t(int64_t)>& rating) {
  std::vector<int64_t> ratings;
  std::transform(values.begin(), values.end(), std::back_inserter(ratings), rating);
  const int64_t least = std::min(enough, *std::max_element(ratings.begin(), ratings.end()));
  std::vector<int64_t> kept;
  for (size_t i = 0; i < values.size(); ++i) {
    if (ratings[i] >= least) kept.push_back(values[i]);
  }
  return kept;
}

}  // namespace tunefleet::codegen
