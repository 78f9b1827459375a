// A loop nest made ready for running: variables became slots, temporaries know where they become undefined.
#ifndef TUNEFLEET_TESTS_CODEGEN_INTERPRETER_PROGRAM_H_
#define TUNEFLEET_TESTS_CODEGEN_INTERPRETER_PROGRAM_H_

#include <map>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

struct Code {
  ExprNode node;  // operands unused
  int slot = -1;  // kVar
  std::vector<Code> operands;
};

struct StoreCode {
  int buffer;
  std::vector<Code> indices;
  StoreOp op;
  Code value;
};

struct RegionCode {
  std::vector<Code> begins;
  std::vector<int64_t> extents;
};

struct BlockCode {
  const Block* block;
  std::vector<int> slots;  // of the iterators
  std::vector<Code> bindings;
  std::vector<Code> predicate;
  std::vector<Code> guard;
  bool declares_regions = false;
  std::map<int, RegionCode> reads;
  std::map<int, RegionCode> writes;
  std::vector<StoreCode> init;
  std::vector<StoreCode> body;
};

// A statement: exactly one of loop, branch, block is set, or none for a sequence.
struct Step {
  std::vector<int> undefines;  // temporaries whose uses all lie in here, and in no one child
  const Loop* loop = nullptr;
  const If* branch = nullptr;
  std::unique_ptr<BlockCode> block;
  int slot = -1;  // of the loop's variable
  Code begin;     // of the loop; the condition of the branch
  Code extent;    // of the loop
  std::vector<Step> children;
};

struct Program {
  Step prepare;  // no children and no block when nothing is packed
  bool has_prepare = false;
  Step run;
  int num_slots = 0;
};

// The program points into the nest, which must outlive it. Errors: INVALID_ARGUMENT for a variable out of scope or a
// missing statement.
absl::StatusOr<Program> Compile(const LoopNest& nest);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_TESTS_CODEGEN_INTERPRETER_PROGRAM_H_
