// Bytes of one element in memory: what buffers, workspaces and addresses are counted in.
#ifndef TUNEFLEET_CODEGEN_IR_ELEMENT_SIZE_H_
#define TUNEFLEET_CODEGEN_IR_ELEMENT_SIZE_H_

#include <cstdint>

#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

inline int64_t ElementBytes(ScalarType type) {
  switch (type) {
    case ScalarType::kFloat32:
    case ScalarType::kInt32:
      return 4;
    case ScalarType::kFloat64:
    case ScalarType::kIndex:
      return 8;
    case ScalarType::kInt8:
    case ScalarType::kBool:
      return 1;
  }
  return 0;
}

// Elements in memory: every innermost row ends in `row_padding` more.
inline int64_t StoredElements(const Buffer& buffer) {
  if (buffer.shape.empty()) return 1 + buffer.row_padding;
  const int64_t row = buffer.shape.back();
  return row == 0 ? 0 : buffer.NumElements() / row * (row + buffer.row_padding);
}

inline int64_t BufferBytes(const Buffer& buffer) { return StoredElements(buffer) * ElementBytes(buffer.type); }

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_IR_ELEMENT_SIZE_H_
