// KnobList: the knobs of a space, declared one after the other.
//
//   KnobList knobs;
//   const Knob oc = knobs.Add("oc_tile", {1, 2, 4});
//   const Knob ow = knobs.Add("ow_tile", [=](KnobValues at) { return UpTo(28 / at[oc]); });
//
// A domain sees the values of the knobs declared before it, is ascending and never empty. Immutable once built.
#ifndef TUNEFLEET_CODEGEN_SPACES_KNOB_LIST_H_
#define TUNEFLEET_CODEGEN_SPACES_KNOB_LIST_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/types/span.h"

namespace tunefleet::codegen {

// Number of a knob in its list.
struct Knob {
  size_t index = 0;
};

// Values of the first knobs, or of all.
class KnobValues {
 public:
  explicit KnobValues(absl::Span<const int64_t> values) : values_(values) {}
  int64_t operator[](Knob knob) const { return values_[knob.index]; }

 private:
  absl::Span<const int64_t> values_;
};

class KnobList {
 public:
  using Domain = std::function<std::vector<int64_t>(KnobValues before)>;

  Knob Add(std::string name, std::vector<int64_t> values);
  Knob Add(std::string name, Domain domain);

  const std::vector<std::string>& names() const { return names_; }
  // Of knob number prefix.size(), which there is.
  std::vector<int64_t> DomainAfter(absl::Span<const int64_t> prefix) const;

 private:
  std::vector<std::string> names_;
  std::vector<Domain> domains_;
};

// 1, 2, ..., last (at least 1).
std::vector<int64_t> UpTo(int64_t last);
// Divisors of n that are at most `last`; 1 is always one.
std::vector<int64_t> DivisorsUpTo(int64_t n, int64_t last);
// The values for which keep() holds; the first one when there is none.
std::vector<int64_t> Those(std::vector<int64_t> values, const std::function<bool(int64_t)>& keep);
// The values whose rating is at least `enough`, or as high as any is.
std::vector<int64_t> Rated(const std::vector<int64_t>& values, int64_t enough,
                           const std::function<int64_t(int64_t)>& rating);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_SPACES_KNOB_LIST_H_
