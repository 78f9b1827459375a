#include "codegen/llvm/addressing.h"

#include <algorithm>
#include <utility>

#include "codegen/ir/element_size.h"

namespace tunefleet::codegen {
namespace {

// The largest power of two that divides the offset, at most that of the alignment so far.
llvm::Align Weaken(llvm::Align alignment, int64_t offset_bytes) {
  return llvm::commonAlignment(alignment, static_cast<uint64_t>(std::abs(offset_bytes)));
}

// Bytes from the start of the buffer, as a linear form.
LinearForm ByteOffset(const Buffer& buffer, const std::vector<Expr>& indices) {
  LinearForm sum;
  int64_t stride = ElementBytes(buffer.type);
  for (size_t d = indices.size(); d-- > 0;) {
    const LinearForm form = LinearFormOf(indices[d]);
    sum.constant += form.constant * stride;
    for (const auto& [atom, coefficient] : form.terms) {
      const auto same = std::find_if(sum.terms.begin(), sum.terms.end(), [&atom = atom](const auto& term) {
        return term.first == atom || StructurallyEqual(term.first, atom);
      });
      if (same == sum.terms.end()) {
        sum.terms.emplace_back(atom, coefficient * stride);
      } else {
        same->second += coefficient * stride;
      }
    }
    stride *= buffer.shape[d] + (d + 1 == indices.size() ? buffer.row_padding : 0);
  }
  return sum;
}

}  // namespace

Address AddressOf(Frame& frame, int index, const std::vector<Expr>& indices,
                  const std::function<llvm::Value*(const Expr&)>& emit) {
  const Buffer& buffer = frame.lowered().nest.buffers[index];
  LinearForm offset = ByteOffset(buffer, indices);
  std::stable_sort(offset.terms.begin(), offset.terms.end(), [&](const auto& a, const auto& b) {
    const bool pure_a = frame.IsPure(a.first);
    const bool pure_b = frame.IsPure(b.first);
    if (pure_a != pure_b) return pure_a;
    return pure_a && frame.DepthOf(a.first) < frame.DepthOf(b.first);
  });

  llvm::IRBuilder<>& builder = frame.builder();
  Address address{.pointer = frame.BasePointer(index), .alignment = llvm::Align(64)};
  for (const auto& [atom, bytes] : offset.terms) {
    if (bytes == 0) continue;
    if (frame.UsesLanes(atom)) {
      if (atom->kind == ExprKind::kVar) {
        address.stride = bytes / ElementBytes(buffer.type);
      } else {
        address.irregular.push_back(atom * Int(bytes));
      }
      continue;
    }
    address.alignment = Weaken(address.alignment, bytes);
    if (frame.IsPure(atom)) {
      address.pointer = frame.Offset(address.pointer, atom, bytes);
    } else {
      llvm::Value* scaled = builder.CreateMul(emit(atom), builder.getInt64(bytes), "", false, true);
      address.pointer = builder.CreateGEP(builder.getInt8Ty(), address.pointer, scaled);
    }
  }
  if (offset.constant != 0) {
    address.alignment = Weaken(address.alignment, offset.constant);
    address.pointer = builder.CreateGEP(builder.getInt8Ty(), address.pointer, builder.getInt64(offset.constant));
  }
  return address;
}

bool ProvablyInBounds(const Frame& frame, int buffer, const std::vector<Expr>& indices) {
  const std::vector<int64_t>& shape = frame.lowered().nest.buffers[buffer].shape;
  for (size_t d = 0; d < indices.size(); ++d) {
    const std::optional<Interval> bounds = BoundsOf(indices[d], frame.ranges());
    if (!bounds.has_value() || bounds->min < 0 || bounds->max >= shape[d]) return false;
  }
  return true;
}

}  // namespace tunefleet::codegen
