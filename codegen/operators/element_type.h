// Element types of tensors: what products of them are summed up in, and what a loop nest calls them.
#ifndef TUNEFLEET_CODEGEN_OPERATORS_ELEMENT_TYPE_H_
#define TUNEFLEET_CODEGEN_OPERATORS_ELEMENT_TYPE_H_

#include "codegen/ir/expr.h"
#include "proto/workload.pb.h"

namespace tunefleet::codegen {

inline v1::DataType AccumulatorType(v1::DataType dtype) {
  return dtype == v1::DATA_TYPE_INT8 ? v1::DATA_TYPE_INT32 : dtype;
}

// Of a checked workload's tensor.
inline ScalarType ScalarTypeOf(v1::DataType dtype) {
  switch (dtype) {
    case v1::DATA_TYPE_INT8:
      return ScalarType::kInt8;
    case v1::DATA_TYPE_INT32:
      return ScalarType::kInt32;
    default:
      return ScalarType::kFloat32;
  }
}

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_OPERATORS_ELEMENT_TYPE_H_
