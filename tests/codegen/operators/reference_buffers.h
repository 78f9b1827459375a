// A workload's reference as the interpreter's buffers.
#ifndef TUNEFLEET_TESTS_CODEGEN_OPERATORS_REFERENCE_BUFFERS_H_
#define TUNEFLEET_TESTS_CODEGEN_OPERATORS_REFERENCE_BUFFERS_H_

#include "codegen/operators/reference.h"
#include "proto/workload.pb.h"
#include "tests/codegen/interpreter/interpreter.h"

namespace tunefleet::codegen {

// By tensor name, in the tensors' layouts. The reference is the workload's, of fp32 tensors.
Buffers InputsOf(const v1::Workload& workload, const Reference& reference);
Buffers OutputsOf(const v1::Workload& workload, const Reference& reference);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_TESTS_CODEGEN_OPERATORS_REFERENCE_BUFFERS_H_
