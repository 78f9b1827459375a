// Scalar expressions of a loop nest.
//
//   expr := integer | float | var | expr op expr | min(expr, expr) | max(expr, expr) | select(expr, expr, expr)
//         | cast<type>(expr) | buffer "[" expr, ... "]"
//   op   := + - * / // % < <= == && ||        (// and % are floor division and its remainder, for indices only)
//
// Nodes are immutable and shared; an Expr is never null. Index arithmetic has type kIndex and does not overflow: a
// constant that would not fit is left unfolded.
// Factories fold constants, drop neutral operands and write a constant operand of + and * last, so that neither
// x + 0 nor 2 * x nor x + -1 exists among indices. On floats only what leaves every value as it is, is folded.
// Thread-safe like any immutable value.
#ifndef TUNEFLEET_CODEGEN_IR_EXPR_H_
#define TUNEFLEET_CODEGEN_IR_EXPR_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"

namespace tunefleet::codegen {

enum class ScalarType { kFloat32, kFloat64, kInt32, kInt8, kIndex, kBool };

// A loop variable or block iterator. Identity is the pointer; names are unique within a nest.
struct VarNode {
  std::string name;
};
using Var = std::shared_ptr<const VarNode>;
Var MakeVar(std::string name);

enum class ExprKind { kInt, kFloat, kVar, kBinary, kSelect, kCast, kLoad };
enum class BinaryOp { kAdd, kSub, kMul, kDiv, kFloorDiv, kFloorMod, kMin, kMax, kLess, kLessEqual, kEqual, kAnd, kOr };

struct ExprNode;
using Expr = std::shared_ptr<const ExprNode>;

struct ExprNode {
  ExprKind kind;
  ScalarType type;
  int64_t int_value = 0;       // kInt
  double float_value = 0;      // kFloat
  Var var;                     // kVar
  BinaryOp op{};               // kBinary
  int buffer = -1;             // kLoad: index into LoopNest::buffers
  std::vector<Expr> operands;  // kBinary: a, b; kSelect: condition, then, else; kCast: a; kLoad: indices
};

Expr Int(int64_t value);                                                             // type kIndex
Expr Bool(bool value);                                                               // a kInt of type kBool
Expr Float(double value, ScalarType type);                                           // kFloat32 or kFloat64
Expr Zero(ScalarType type);                                                          // 0 of any type
Expr VarRef(const Var& var);                                                         // type kIndex
Expr Binary(BinaryOp op, const Expr& a, const Expr& b);                              // operands of one type
Expr Select(const Expr& condition, const Expr& then_value, const Expr& else_value);  // else is not evaluated when true
Expr Cast(ScalarType type, const Expr& a);
Expr Load(int buffer, ScalarType type, std::vector<Expr> indices);

Expr operator+(const Expr& a, const Expr& b);
Expr operator-(const Expr& a, const Expr& b);
Expr operator*(const Expr& a, const Expr& b);
Expr FloorDiv(const Expr& a, const Expr& b);
Expr FloorMod(const Expr& a, const Expr& b);
Expr Min(const Expr& a, const Expr& b);
Expr Max(const Expr& a, const Expr& b);
Expr Less(const Expr& a, const Expr& b);
Expr LessEqual(const Expr& a, const Expr& b);
Expr Equal(const Expr& a, const Expr& b);
Expr And(const Expr& a, const Expr& b);

// The value of a constant integer (or bool) expression.
std::optional<int64_t> ConstantInt(const Expr& expr);

// Same structure, variables compared by identity.
bool StructurallyEqual(const Expr& a, const Expr& b);

using VarMap = absl::flat_hash_map<Var, Expr>;
// Replaces variables; shares every untouched node.
Expr Substitute(const Expr& expr, const VarMap& map);

// Rewrites bottom-up: `rewrite` sees each node after its operands were rewritten and returns the node itself or
// another.
Expr Rewrite(const Expr& expr, absl::FunctionRef<Expr(const Expr&)> rewrite);

// Calls `visit` on every node, parents first.
void Visit(const Expr& expr, absl::FunctionRef<void(const Expr&)> visit);

bool UsesVar(const Expr& expr, const Var& var);

using VarSet = absl::flat_hash_set<Var>;
bool UsesAny(const Expr& expr, const VarSet& vars);

// Floor division and its remainder, which has the divisor's sign. The divisor is not 0.
inline int64_t FloorDivInt(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a % b < 0) != (b < 0) ? 1 : 0); }
inline int64_t FloorModInt(int64_t a, int64_t b) { return a % b + (a % b != 0 && (a % b < 0) != (b < 0) ? b : 0); }

// The operation on two integers or, as 0 and 1, bools. Nullopt past 64 bits, for a division by 0 and for kDiv.
std::optional<int64_t> EvaluateInts(BinaryOp op, int64_t a, int64_t b);

bool IsFloat(ScalarType type);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_IR_EXPR_H_
