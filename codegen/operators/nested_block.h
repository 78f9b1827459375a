// What fresh nests are built from: perfect nests around one block, and the axes of an anchor's output.
#ifndef TUNEFLEET_CODEGEN_OPERATORS_NESTED_BLOCK_H_
#define TUNEFLEET_CODEGEN_OPERATORS_NESTED_BLOCK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"
#include "proto/workload.pb.h"

namespace tunefleet::codegen {

struct Axis {
  std::string name;
  int64_t extent;
  IterKind kind = IterKind::kSpatial;
};

// One perfect loop nest: a loop per axis, outermost first, around one block whose iterators bear the axes' names.
class NestedBlock {
 public:
  // Loops are named "<prefix><axis>".
  NestedBlock(std::string block, const std::string& prefix, std::vector<Axis> axes);

  // The iterator; a constant 0 for an axis that there is not.
  Expr At(absl::string_view axis) const;
  std::vector<Expr> AtAll(const std::vector<std::string>& axes) const;

  Block& block() { return block_; }

  Stmt Finish(const LoopNest& nest) const;

 private:
  std::vector<Axis> axes_;
  std::vector<Var> loops_;
  Block block_;
};

// Where the anchor's output axes lie: shared by the anchor and the epilogue.
struct OutputAxes {
  std::vector<Axis> axes;            // in loop order
  std::vector<std::string> indices;  // axes in the order of the buffer's dimensions
  std::string channel_outer;         // the bias's axis: block number ...
  std::string channel_lane;          // ... and lane, or ""
  int64_t block = 1;
  int64_t channels = 0;  // logical
};

Expr F32(double value);
Expr F32Load(int buffer, std::vector<Expr> indices);
// The buffer's element, of its type or converted to another.
Expr LoadOf(const LoopNest& nest, int buffer, std::vector<Expr> indices);
Expr LoadAs(ScalarType type, const LoopNest& nest, int buffer, std::vector<Expr> indices);

// outer * block + lane, and the condition that it is a channel rather than a padding lane (null: always).
struct Channel {
  Expr index;
  Expr exists;
};
Channel ChannelAt(const Expr& outer, const Expr& lane, int64_t block, int64_t channels);

// The value where the condition (null: always) holds, else 0.
Expr WhereExists(const Expr& exists, Expr value);
// Of two conditions, either of which may be null: always.
Expr BothHold(const Expr& a, const Expr& b);

// One elementwise block, which computes in the output's type; loops are named "<kind>_<axis>".
Stmt EpilogueStmt(const v1::OperatorNode& node, const OutputAxes& out, int input, int bias, int output,
                  const LoopNest& nest);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_OPERATORS_NESTED_BLOCK_H_
