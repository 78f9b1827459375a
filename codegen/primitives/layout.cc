#include "codegen/primitives/layout.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace tunefleet::codegen {
namespace {

constexpr int64_t kMaxFactor = int64_t{1} << 20;

absl::StatusOr<LayoutTerm> ParseTerm(const std::string& text, size_t rank) {
  LayoutTerm term;
  const size_t sign = text.find_first_of("/%");
  const std::string dim = text.substr(0, sign);
  bool good = absl::SimpleAtoi(dim, &term.dim) && term.dim < rank;
  if (sign != std::string::npos) {
    term.kind = text[sign] == '/' ? LayoutTerm::Kind::kQuotient : LayoutTerm::Kind::kRemainder;
    good =
        good && absl::SimpleAtoi(text.substr(sign + 1), &term.factor) && term.factor > 0 && term.factor <= kMaxFactor;
  }
  if (good) return term;
  return absl::InvalidArgumentError(absl::StrCat("term '", text, "': expected a dimension below ", rank,
                                                 ", alone or with / or % and a factor of 1 to 2^20"));
}

// Every dimension once as itself, or as a quotient and a remainder with one factor.
bool IsBijective(const std::vector<LayoutTerm>& terms, size_t rank) {
  for (size_t dim = 0; dim < rank; ++dim) {
    std::vector<LayoutTerm> of_dim;
    for (const LayoutTerm& term : terms) {
      if (term.dim == dim) of_dim.push_back(term);
    }
    const bool whole = of_dim.size() == 1 && of_dim[0].kind == LayoutTerm::Kind::kWhole;
    const bool split = of_dim.size() == 2 && of_dim[0].kind != of_dim[1].kind &&
                       of_dim[0].kind != LayoutTerm::Kind::kWhole && of_dim[1].kind != LayoutTerm::Kind::kWhole &&
                       of_dim[0].factor == of_dim[1].factor;
    if (!whole && !split) return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<Layout> Layout::Parse(const Buffer& buffer, const std::vector<std::string>& terms) {
  Layout layout;
  layout.shape_ = buffer.shape;
  for (const std::string& text : terms) {
    absl::StatusOr<LayoutTerm> term = ParseTerm(text, buffer.shape.size());
    if (!term.ok()) return term.status();
    layout.terms_.push_back(*term);
  }
  if (!IsBijective(layout.terms_, buffer.shape.size())) {
    return absl::InvalidArgumentError(absl::StrCat("terms [", absl::StrJoin(terms, ","), "] for buffer '", buffer.name,
                                                   "' of rank ", buffer.shape.size(),
                                                   ": expected each dimension once, or once each as / and % with one "
                                                   "factor"));
  }
  return layout;
}

std::vector<int64_t> Layout::NewShape() const {
  std::vector<int64_t> shape;
  for (const LayoutTerm& term : terms_) {
    const int64_t extent = shape_[term.dim];
    shape.push_back(term.kind == LayoutTerm::Kind::kWhole      ? extent
                    : term.kind == LayoutTerm::Kind::kQuotient ? (extent + term.factor - 1) / term.factor
                                                               : term.factor);
  }
  return shape;
}

std::vector<int64_t> Layout::PaddedOldShape() const {
  std::vector<int64_t> shape = shape_;
  for (const LayoutTerm& term : terms_) {
    if (term.kind == LayoutTerm::Kind::kQuotient) {
      shape[term.dim] = (shape[term.dim] + term.factor - 1) / term.factor * term.factor;
    }
  }
  return shape;
}

std::vector<Expr> Layout::NewIndices(const std::vector<Expr>& old_indices, const VarRanges& ranges) const {
  std::vector<Expr> indices;
  for (const LayoutTerm& term : terms_) {
    const Expr& index = old_indices[term.dim];
    switch (term.kind) {
      case LayoutTerm::Kind::kWhole:
        indices.push_back(index);
        break;
      case LayoutTerm::Kind::kQuotient:
        indices.push_back(Simplify(FloorDiv(index, Int(term.factor)), ranges));
        break;
      case LayoutTerm::Kind::kRemainder:
        indices.push_back(Simplify(FloorMod(index, Int(term.factor)), ranges));
        break;
    }
  }
  return indices;
}

std::vector<Expr> Layout::OldIndices(const std::vector<Expr>& new_indices) const {
  std::vector<Expr> indices(shape_.size(), Int(0));
  for (size_t i = 0; i < terms_.size(); ++i) {
    const LayoutTerm& term = terms_[i];
    const bool quotient = term.kind == LayoutTerm::Kind::kQuotient;
    indices[term.dim] = indices[term.dim] + (quotient ? new_indices[i] * Int(term.factor) : new_indices[i]);
  }
  return indices;
}

}  // namespace tunefleet::codegen
