// The index map of transform_layout.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_LAYOUT_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_LAYOUT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "codegen/ir/interval.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

struct LayoutTerm {
  enum class Kind { kWhole, kQuotient, kRemainder };
  size_t dim = 0;
  Kind kind = Kind::kWhole;
  int64_t factor = 1;
};

// A bijection from the elements of a buffer into those of another, which may have more.
class Layout {
 public:
  // `terms` as in transform_layout.h. Errors: INVALID_ARGUMENT.
  static absl::StatusOr<Layout> Parse(const Buffer& buffer, const std::vector<std::string>& terms);

  std::vector<int64_t> NewShape() const;
  // How far old indices may go before their new ones leave the new shape.
  std::vector<int64_t> PaddedOldShape() const;
  std::vector<Expr> NewIndices(const std::vector<Expr>& old_indices, const VarRanges& ranges) const;
  std::vector<Expr> OldIndices(const std::vector<Expr>& new_indices) const;
  const std::vector<int64_t>& old_shape() const { return shape_; }

 private:
  std::vector<int64_t> shape_;
  std::vector<LayoutTerm> terms_;
};

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_LAYOUT_H_
