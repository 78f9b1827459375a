// LoopNest: the only representation of a program, from the fresh operator to what a code generator reads.
//
//   nest    := "nest" name: buffer*  "prepare:" stmt?  "run:" stmt
//   buffer  := name ":" type "[" extent, ... "]" role scope ["row_padding" n] ["prefetch" n] ["fold_loads"]
//              ["=" "{" number, ... "}"]
//   stmt    := loop | block | seq | if
//   seq     := stmt stmt+
//   loop    := "for" var "in" "[" begin ", " begin + extent ")" kind ":" stmt
//   kind    := "serial" | "parallel" | "vectorized" | "unrolled" | "tensorized by" intrinsic | GPU axis | "vthread"
//   if      := "if" condition ":" stmt                                (lowered nests only)
//   block   := "block" name "(" iter* ")" ["where" predicate] ["guard" guard] "reads" region* "writes" region*
//              ["init:" store+] "do:" store+
//   iter    := var ":" ("spatial" | "reduction" | "ordered") "[" extent "]" "=" binding
//   region  := buffer "[" range, ... "]"
//   range   := begin [":+" extent]                                    (extent 1 when left out)
//   store   := buffer "[" index, ... "]" ("=" | "+=" | "max=") value
//
// Meaning. A block instance runs for every iteration of the loops around it for which the predicate holds. The
// predicate and the bindings are over loop variables; everything else in a block is over its iterators. Iterators stay
// inside [0, extent) for every instance that runs. The stores of `do` run in order when the guard holds. `init` runs,
// guard or not, in every instance whose reduction iterators are all zero, before `do`; it exists only until
// decompose_reduction (or lowering) makes it a block of its own. So padding and skipped taps are guards, tails of
// non-dividing splits are predicates.
//
// Legality is decided on signatures (iterators, regions, store operators), never on values.
//
// Loops nest; loop variables, block names and buffer names are unique in the nest. Storage of a buffer of scope kLocal
// or kWorkspace lives as long as the innermost statement that contains all its uses.
//
// Nodes are immutable and shared: a rewrite copies one path. A LoopNest is a value, cheap to copy.
#ifndef TUNEFLEET_CODEGEN_IR_LOOP_NEST_H_
#define TUNEFLEET_CODEGEN_IR_LOOP_NEST_H_

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "codegen/ir/expr.h"

namespace tunefleet::codegen {

enum class Role {
  kInput,
  kConstant,  // raw constant
  kPrepared,  // written by `prepare`, read by `run`
  kOutput,
  kTemporary,
  kLiteral,  // a table whose contents are part of the nest: nobody passes or writes it
};

// Where a temporary lives. Buffers of the other roles are kGlobal.
enum class Scope {
  kGlobal,     // memory of the caller
  kWorkspace,  // the caller's scratch memory (inside a parallel loop: one copy per task)
  kLocal,      // registers or stack
  kShared,     // GPU shared memory
};

struct Buffer {
  std::string name;
  ScalarType type = ScalarType::kFloat32;
  std::vector<int64_t> shape;  // row-major, innermost last
  Role role = Role::kTemporary;
  Scope scope = Scope::kGlobal;
  int64_t row_padding = 0;      // storage_align: extra elements at the end of every innermost row
  int64_t prefetch_bytes = 0;   // reads of vectors ask for what lies so far ahead; 0: they do not
  bool fold_loads = false;      // scalars that a step of a register tile shares are loaded by each of their users
  std::vector<double> literal;  // of role kLiteral: every element, in row-major order

  int64_t NumElements() const;
  // Whether the caller passes it: it has a place among a kernel's buffers.
  bool IsArgument() const { return role != Role::kTemporary && role != Role::kLiteral; }
};

enum class LoopKind {
  kSerial,
  kParallel,
  kVectorized,
  kUnrolled,
  kBlockX,
  kBlockY,
  kBlockZ,  // bound to a GPU axis
  kThreadX,
  kThreadY,
  kThreadZ,
  kVirtualThread,
  kTensorized,  // left, with all inside, to an intrinsic (tensor_intrinsic.h); means what a serial loop means
};

enum class IterKind { kSpatial, kReduction, kOrdered };
enum class StoreOp { kAssign, kAdd, kMax };
enum class ExecutionScope { kThread, kWarp, kWarpGroup, kBlock };

struct StmtNode;
using Stmt = std::shared_ptr<const StmtNode>;

struct Loop {
  Var var;
  Expr begin;   // over outer loop variables
  Expr extent;  // over outer loop variables
  LoopKind kind = LoopKind::kSerial;
  Stmt body;
  std::string intrinsic;  // of kTensorized loops: its name
};

struct BlockIter {
  Var var;
  IterKind kind = IterKind::kSpatial;
  int64_t extent = 0;
  Expr binding;  // quasi-affine, over loop variables
};

struct Range {
  Expr begin;
  int64_t extent;
};

// A box of a buffer: one range per dimension, over block iterators.
struct BufferRegion {
  int buffer = -1;
  std::vector<Range> ranges;
};

struct Store {
  int buffer = -1;
  std::vector<Expr> indices;
  StoreOp op = StoreOp::kAssign;
  Expr value;
};

struct Block {
  std::string name;
  std::vector<BlockIter> iters;
  std::vector<Expr> predicate;  // conjuncts over loop variables
  std::vector<Expr> guard;      // conjuncts over iterators
  std::vector<BufferRegion> reads;
  std::vector<BufferRegion> writes;
  std::vector<Store> init;
  std::vector<Store> body;
  ExecutionScope scope = ExecutionScope::kThread;
};

struct Seq {
  std::vector<Stmt> stmts;  // two or more, none of them a Seq
};

struct If {
  Expr condition;  // over loop variables
  Stmt then_stmt;
};

struct StmtNode {
  std::variant<Loop, Block, Seq, If> node;
};

Stmt MakeStmt(Loop loop);
Stmt MakeStmt(Block block);
Stmt MakeStmt(If branch);
// Flattens nested sequences and drops nulls; one statement is returned as itself, none as null.
Stmt MakeSeq(std::vector<Stmt> stmts);

template <typename T>
const T* As(const Stmt& stmt) {
  return stmt == nullptr ? nullptr : std::get_if<T>(&stmt->node);
}

struct LoopNest {
  std::string name;
  std::vector<Buffer> buffers;
  Stmt prepare;  // null when nothing is packed
  Stmt run;

  // Index of the buffer, or -1.
  int FindBuffer(const std::string& name) const;
  // Whether any buffer has fold_loads.
  bool FoldsLoads() const;
};

// Fills in reads and writes from the block's init, body (loads inside a Select with their over-approximated box): one
// region per buffer, the union of the accesses, as exact as interval arithmetic over the iterators' use allows.
// Single-element accesses give extents of 1. Regions come in the order of the buffers. What += and max= update counts
// as written only.
Block WithInferredRegions(const LoopNest& nest, Block block);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_IR_LOOP_NEST_H_
