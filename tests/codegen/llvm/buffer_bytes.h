// The interpreter's values as a kernel's memory, and back.
#ifndef TUNEFLEET_TESTS_CODEGEN_LLVM_BUFFER_BYTES_H_
#define TUNEFLEET_TESTS_CODEGEN_LLVM_BUFFER_BYTES_H_

#include <vector>

#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// Buffers that the caller of a kernel passes, in order.
std::vector<const Buffer*> ArgumentsOf(const LoopNest& nest);

// Writes the values of the buffer's elements; its row padding stays as it is.
void StoreValues(const Buffer& buffer, const std::vector<double>& values, char* memory);
// Every element, without row padding.
std::vector<double> LoadValues(const Buffer& buffer, const char* memory);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_TESTS_CODEGEN_LLVM_BUFFER_BYTES_H_
