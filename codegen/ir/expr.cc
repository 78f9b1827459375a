#include "codegen/ir/expr.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "common/check.h"

namespace tunefleet::codegen {
namespace {

Expr MakeInt(int64_t value, ScalarType type) {
  auto node = std::make_shared<ExprNode>();
  node->kind = ExprKind::kInt;
  node->type = type;
  node->int_value = value;
  return node;
}

bool Fits(int64_t value, ScalarType type) {
  switch (type) {
    case ScalarType::kInt8:
      return value >= std::numeric_limits<int8_t>::min() && value <= std::numeric_limits<int8_t>::max();
    case ScalarType::kInt32:
      return value >= std::numeric_limits<int32_t>::min() && value <= std::numeric_limits<int32_t>::max();
    case ScalarType::kBool:
      return value == 0 || value == 1;
    default:
      return true;
  }
}

bool IsComparison(BinaryOp op) { return op == BinaryOp::kLess || op == BinaryOp::kLessEqual || op == BinaryOp::kEqual; }

Expr FoldFloats(BinaryOp op, double a, double b, ScalarType type) {
  switch (op) {
    case BinaryOp::kAdd:
      return Float(a + b, type);
    case BinaryOp::kSub:
      return Float(a - b, type);
    case BinaryOp::kMul:
      return Float(a * b, type);
    case BinaryOp::kDiv:
      return Float(a / b, type);
    default:
      return nullptr;
  }
}

// The operand that the operation leaves as it is, or the constant that it always gives; null: neither.
Expr FoldNeutral(BinaryOp op, const Expr& a, const Expr& b) {
  const std::optional<int64_t> left = ConstantInt(a);
  const std::optional<int64_t> right = ConstantInt(b);
  switch (op) {
    case BinaryOp::kAdd:
      if (left == 0) return b;
      return right == 0 ? a : nullptr;
    case BinaryOp::kSub:
      if (right == 0) return a;
      return a == b ? MakeInt(0, a->type) : nullptr;
    case BinaryOp::kMul:
      if (left == 1 || right == 0) return b;
      return right == 1 || left == 0 ? a : nullptr;
    case BinaryOp::kFloorDiv:
      return right == 1 || (left == 0 && right.has_value() && right != 0) ? a : nullptr;
    case BinaryOp::kFloorMod:
      if (right == 1) return MakeInt(0, a->type);
      return left == 0 && right.has_value() && right != 0 ? a : nullptr;
    case BinaryOp::kMin:
    case BinaryOp::kMax:
      return a == b ? a : nullptr;
    case BinaryOp::kLess:
      return a == b ? Bool(false) : nullptr;
    case BinaryOp::kLessEqual:
    case BinaryOp::kEqual:
      return a == b ? Bool(true) : nullptr;
    case BinaryOp::kAnd:
      if (left == 1 || right == 0 || a == b) return b;
      return right == 1 || left == 0 ? a : nullptr;
    case BinaryOp::kOr:
      if (left == 0 || right == 1 || a == b) return b;
      return right == 0 || left == 1 ? a : nullptr;
    case BinaryOp::kDiv:
      return nullptr;
  }
  return nullptr;
}

Expr FoldNeutralFloat(BinaryOp op, const Expr& a, const Expr& b) {
  const auto is = [](const Expr& e, double value) { return e->kind == ExprKind::kFloat && e->float_value == value; };
  if (op == BinaryOp::kMul && is(a, 1)) return b;
  if ((op == BinaryOp::kMul || op == BinaryOp::kDiv) && is(b, 1)) return a;
  if (op == BinaryOp::kSub && is(b, 0) && !std::signbit(b->float_value)) return a;
  return nullptr;
}

Expr MakeBinary(BinaryOp op, Expr a, Expr b) {
  auto node = std::make_shared<ExprNode>();
  node->kind = ExprKind::kBinary;
  node->type = IsComparison(op) ? ScalarType::kBool : a->type;
  node->op = op;
  node->operands.reserve(2);
  node->operands.push_back(std::move(a));
  node->operands.push_back(std::move(b));
  return node;
}

// The node with other operands, folded again.
Expr WithOperands(const Expr& expr, std::vector<Expr> operands) {
  switch (expr->kind) {
    case ExprKind::kBinary:
      return Binary(expr->op, operands[0], operands[1]);
    case ExprKind::kSelect:
      return Select(operands[0], operands[1], operands[2]);
    case ExprKind::kCast:
      return Cast(expr->type, operands[0]);
    case ExprKind::kLoad:
      return Load(expr->buffer, expr->type, std::move(operands));
    default:
      return expr;
  }
}

// Applies `map` to the operands; the node itself when none changed.
template <typename Map>
Expr MapOperands(const Expr& expr, const Map& map) {
  for (size_t i = 0; i < expr->operands.size(); ++i) {
    Expr mapped = map(expr->operands[i]);
    if (mapped == expr->operands[i]) continue;
    std::vector<Expr> operands;
    operands.reserve(expr->operands.size());
    operands.assign(expr->operands.begin(), expr->operands.begin() + i);
    operands.push_back(std::move(mapped));
    for (++i; i < expr->operands.size(); ++i) operands.push_back(map(expr->operands[i]));
    return WithOperands(expr, std::move(operands));
  }
  return expr;
}

}  // namespace

Var MakeVar(std::string name) { return std::make_shared<const VarNode>(VarNode{std::move(name)}); }

std::optional<int64_t> EvaluateInts(BinaryOp op, int64_t a, int64_t b) {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  int64_t result = 0;
  switch (op) {
    case BinaryOp::kAdd:
      return __builtin_add_overflow(a, b, &result) ? std::nullopt : std::optional(result);
    case BinaryOp::kSub:
      return __builtin_sub_overflow(a, b, &result) ? std::nullopt : std::optional(result);
    case BinaryOp::kMul:
      return __builtin_mul_overflow(a, b, &result) ? std::nullopt : std::optional(result);
    case BinaryOp::kFloorDiv:
      return b == 0 || (a == kMin && b == -1) ? std::nullopt : std::optional(FloorDivInt(a, b));
    case BinaryOp::kFloorMod:
      return b == 0 || (a == kMin && b == -1) ? std::nullopt : std::optional(FloorModInt(a, b));
    case BinaryOp::kMin:
      return std::min(a, b);
    case BinaryOp::kMax:
      return std::max(a, b);
    case BinaryOp::kLess:
      return a < b;
    case BinaryOp::kLessEqual:
      return a <= b;
    case BinaryOp::kEqual:
      return a == b;
    case BinaryOp::kAnd:
      return a & b;
    case BinaryOp::kOr:
      return a | b;
    case BinaryOp::kDiv:
      return std::nullopt;
  }
  return std::nullopt;
}

bool IsFloat(ScalarType type) { return type == ScalarType::kFloat32 || type == ScalarType::kFloat64; }

Expr Int(int64_t value) { return MakeInt(value, ScalarType::kIndex); }
Expr Bool(bool value) { return MakeInt(value ? 1 : 0, ScalarType::kBool); }

Expr Float(double value, ScalarType type) {
  auto node = std::make_shared<ExprNode>();
  node->kind = ExprKind::kFloat;
  node->type = type;
  node->float_value = type == ScalarType::kFloat32 ? static_cast<float>(value) : value;
  return node;
}

Expr Zero(ScalarType type) { return IsFloat(type) ? Float(0, type) : MakeInt(0, type); }

Expr VarRef(const Var& var) {
  auto node = std::make_shared<ExprNode>();
  node->kind = ExprKind::kVar;
  node->type = ScalarType::kIndex;
  node->var = var;
  return node;
}

Expr Binary(BinaryOp op, const Expr& a, const Expr& b) {
  TF_CHECK(a->type == b->type, "operands of different types");
  if (IsFloat(a->type)) {
    if (a->kind == ExprKind::kFloat && b->kind == ExprKind::kFloat) {
      if (Expr folded = FoldFloats(op, a->float_value, b->float_value, a->type); folded != nullptr) return folded;
    }
    if (Expr folded = FoldNeutralFloat(op, a, b); folded != nullptr) return folded;
    return MakeBinary(op, a, b);
  }
  if (a->kind == ExprKind::kInt && b->kind == ExprKind::kInt) {
    const ScalarType type = IsComparison(op) ? ScalarType::kBool : a->type;
    const std::optional<int64_t> folded = EvaluateInts(op, a->int_value, b->int_value);
    if (folded.has_value() && Fits(*folded, type)) return MakeInt(*folded, type);
    return MakeBinary(op, a, b);
  }
  if (Expr folded = FoldNeutral(op, a, b); folded != nullptr) return folded;
  if (a->type != ScalarType::kIndex) return MakeBinary(op, a, b);
  const bool commutes = op == BinaryOp::kAdd || op == BinaryOp::kMul || op == BinaryOp::kMin || op == BinaryOp::kMax ||
                        op == BinaryOp::kEqual;
  if (a->kind == ExprKind::kInt && commutes) return Binary(op, b, a);
  if (b->kind == ExprKind::kInt && b->int_value < 0 && b->int_value > std::numeric_limits<int64_t>::min()) {
    if (op == BinaryOp::kAdd) return MakeBinary(BinaryOp::kSub, a, Int(-b->int_value));
    if (op == BinaryOp::kSub) return MakeBinary(BinaryOp::kAdd, a, Int(-b->int_value));
  }
  return MakeBinary(op, a, b);
}

Expr Select(const Expr& condition, const Expr& then_value, const Expr& else_value) {
  TF_CHECK(condition->type == ScalarType::kBool, "a select's condition is no bool");
  TF_CHECK(then_value->type == else_value->type, "a select's values have different types");
  if (const std::optional<int64_t> constant = ConstantInt(condition)) return *constant != 0 ? then_value : else_value;
  if (then_value == else_value) return then_value;
  auto node = std::make_shared<ExprNode>();
  node->kind = ExprKind::kSelect;
  node->type = then_value->type;
  node->operands = {condition, then_value, else_value};
  return node;
}

Expr Cast(ScalarType type, const Expr& a) {
  if (a->type == type) return a;
  if (a->kind == ExprKind::kInt && type != ScalarType::kBool) {
    if (IsFloat(type)) return Float(static_cast<double>(a->int_value), type);
    if (Fits(a->int_value, type)) return MakeInt(a->int_value, type);
  }
  if (a->kind == ExprKind::kFloat && IsFloat(type)) return Float(a->float_value, type);
  auto node = std::make_shared<ExprNode>();
  node->kind = ExprKind::kCast;
  node->type = type;
  node->operands = {a};
  return node;
}

Expr Load(int buffer, ScalarType type, std::vector<Expr> indices) {
  auto node = std::make_shared<ExprNode>();
  node->kind = ExprKind::kLoad;
  node->type = type;
  node->buffer = buffer;
  node->operands = std::move(indices);
  return node;
}

Expr operator+(const Expr& a, const Expr& b) { return Binary(BinaryOp::kAdd, a, b); }
Expr operator-(const Expr& a, const Expr& b) { return Binary(BinaryOp::kSub, a, b); }
Expr operator*(const Expr& a, const Expr& b) { return Binary(BinaryOp::kMul, a, b); }
Expr FloorDiv(const Expr& a, const Expr& b) { return Binary(BinaryOp::kFloorDiv, a, b); }
Expr FloorMod(const Expr& a, const Expr& b) { return Binary(BinaryOp::kFloorMod, a, b); }
Expr Min(const Expr& a, const Expr& b) { return Binary(BinaryOp::kMin, a, b); }
Expr Max(const Expr& a, const Expr& b) { return Binary(BinaryOp::kMax, a, b); }
Expr Less(const Expr& a, const Expr& b) { return Binary(BinaryOp::kLess, a, b); }
Expr LessEqual(const Expr& a, const Expr& b) { return Binary(BinaryOp::kLessEqual, a, b); }
Expr Equal(const Expr& a, const Expr& b) { return Binary(BinaryOp::kEqual, a, b); }
Expr And(const Expr& a, const Expr& b) { return Binary(BinaryOp::kAnd, a, b); }

std::optional<int64_t> ConstantInt(const Expr& expr) {
  if (expr->kind != ExprKind::kInt) return std::nullopt;
  return expr->int_value;
}

bool StructurallyEqual(const Expr& a, const Expr& b) {
  if (a == b) return true;
  if (a->kind != b->kind || a->type != b->type) return false;
  switch (a->kind) {
    case ExprKind::kInt:
      return a->int_value == b->int_value;
    case ExprKind::kFloat:
      return a->float_value == b->float_value && std::signbit(a->float_value) == std::signbit(b->float_value);
    case ExprKind::kVar:
      return a->var == b->var;
    case ExprKind::kBinary:
      if (a->op != b->op) return false;
      break;
    case ExprKind::kLoad:
      if (a->buffer != b->buffer) return false;
      break;
    case ExprKind::kSelect:
    case ExprKind::kCast:
      break;
  }
  return std::equal(a->operands.begin(), a->operands.end(), b->operands.begin(), b->operands.end(), StructurallyEqual);
}

Expr Substitute(const Expr& expr, const VarMap& map) {
  if (expr->kind == ExprKind::kVar) {
    const auto found = map.find(expr->var);
    return found == map.end() ? expr : found->second;
  }
  return MapOperands(expr, [&map](const Expr& operand) { return Substitute(operand, map); });
}

Expr Rewrite(const Expr& expr, absl::FunctionRef<Expr(const Expr&)> rewrite) {
  return rewrite(MapOperands(expr, [&rewrite](const Expr& operand) { return Rewrite(operand, rewrite); }));
}

void Visit(const Expr& expr, absl::FunctionRef<void(const Expr&)> visit) {
  visit(expr);
  for (const Expr& operand : expr->operands) Visit(operand, visit);
}

bool UsesVar(const Expr& expr, const Var& var) {
  if (expr->kind == ExprKind::kVar) return expr->var == var;
  return std::any_of(expr->operands.begin(), expr->operands.end(),
                     [&var](const Expr& operand) { return UsesVar(operand, var); });
}

bool UsesAny(const Expr& expr, const VarSet& vars) {
  if (expr->kind == ExprKind::kVar) return vars.contains(expr->var);
  return std::any_of(expr->operands.begin(), expr->operands.end(),
                     [&vars](const Expr& operand) { return UsesAny(operand, vars); });
}

}  // namespace tunefleet::codegen
