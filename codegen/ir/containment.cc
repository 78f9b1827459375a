#include "codegen/ir/containment.h"

#include <algorithm>

#include "codegen/ir/linear_form.h"

namespace tunefleet::codegen {
namespace {

constexpr int64_t kMaxPoints = 1 << 14;

void CollectConjuncts(const Expr& condition, std::vector<Expr>* conjuncts) {
  if (condition->kind == ExprKind::kBinary && condition->op == BinaryOp::kAnd) {
    CollectConjuncts(condition->operands[0], conjuncts);
    CollectConjuncts(condition->operands[1], conjuncts);
  } else {
    conjuncts->push_back(condition);
  }
}

// Whether `condition` alone, together with the ranges, makes form <= 0.
bool Implies(const Expr& condition, const LinearForm& form, const VarRanges& ranges) {
  if (condition->kind != ExprKind::kBinary || condition->operands[0]->type != ScalarType::kIndex) return false;
  const bool strict = condition->op == BinaryOp::kLess;
  const bool equal = condition->op == BinaryOp::kEqual;
  if (!strict && !equal && condition->op != BinaryOp::kLessEqual) return false;
  const std::optional<LinearForm> known = Difference(condition->operands[0], condition->operands[1]);
  if (!known) return false;
  // known (+ 1 when strict) <= 0, so form <= 0 follows from form - known <= (1 when strict).
  for (const int64_t sign : {-1, 1}) {
    if (sign == 1 && !equal) break;
    LinearForm gap = form;
    if (!AddScaled(*known, sign, &gap)) continue;
    const std::optional<Interval> bounds = BoundsOfForm(gap, ranges);
    if (bounds && bounds->max <= (strict ? 1 : 0)) return true;
  }
  return false;
}

bool NeverPositive(const std::optional<LinearForm>& form, const std::vector<Expr>& conditions,
                   const VarRanges& ranges) {
  if (!form) return false;
  const std::optional<Interval> bounds = BoundsOfForm(*form, ranges);
  if (bounds && bounds->max <= 0) return true;
  return std::any_of(conditions.begin(), conditions.end(),
                     [&](const Expr& condition) { return Implies(condition, *form, ranges); });
}

void CollectVars(const Expr& expr, std::vector<Var>* vars) {
  Visit(expr, [vars](const Expr& node) {
    if (node->kind == ExprKind::kVar && std::find(vars->begin(), vars->end(), node->var) == vars->end()) {
      vars->push_back(node->var);
    }
  });
}

// The conditions that bear upon the value, directly or through others; `vars` becomes all their variables.
std::vector<Expr> RelevantConditions(const std::vector<Expr>& conditions, std::vector<Var>* vars) {
  std::vector<Expr> relevant;
  std::vector<bool> taken(conditions.size(), false);
  for (bool grew = true; grew;) {
    grew = false;
    for (size_t i = 0; i < conditions.size(); ++i) {
      const auto bears = [&](const Var& var) { return UsesVar(conditions[i], var); };
      if (taken[i] || std::none_of(vars->begin(), vars->end(), bears)) continue;
      taken[i] = grew = true;
      relevant.push_back(conditions[i]);
      CollectVars(conditions[i], vars);
    }
  }
  return relevant;
}

Containment LookAtEveryPoint(const Expr& value, int64_t extent, const std::vector<Expr>& conditions,
                             const VarRanges& ranges) {
  std::vector<Var> vars;
  CollectVars(value, &vars);
  const std::vector<Expr> relevant = RelevantConditions(conditions, &vars);
  int64_t points = 1;
  absl::flat_hash_map<Var, int64_t> point;
  for (const Var& var : vars) {
    const auto range = ranges.find(var);
    if (range == ranges.end() || range->second.max - range->second.min >= kMaxPoints) return Containment::kUnknown;
    points *= range->second.max - range->second.min + 1;
    if (points > kMaxPoints) return Containment::kUnknown;
    point[var] = range->second.min;
  }
  for (;;) {
    bool runs = true;
    for (const Expr& condition : relevant) {
      const std::optional<int64_t> holds = Evaluate(condition, point);
      if (!holds) return Containment::kUnknown;
      runs = runs && *holds != 0;
    }
    if (runs) {
      const std::optional<int64_t> result = Evaluate(value, point);
      if (!result) return Containment::kUnknown;
      if (*result < 0 || *result >= extent) return Containment::kOutside;
    }
    size_t digit = 0;
    for (; digit < vars.size(); ++digit) {
      const Interval& range = ranges.at(vars[digit]);
      if (++point[vars[digit]] <= range.max) break;
      point[vars[digit]] = range.min;
    }
    if (digit == vars.size()) return Containment::kInside;
  }
}

}  // namespace

std::optional<int64_t> Evaluate(const Expr& expr, const absl::flat_hash_map<Var, int64_t>& point) {
  switch (expr->kind) {
    case ExprKind::kInt:
      return expr->int_value;
    case ExprKind::kVar: {
      const auto found = point.find(expr->var);
      return found == point.end() ? std::nullopt : std::optional(found->second);
    }
    case ExprKind::kSelect: {
      const std::optional<int64_t> condition = Evaluate(expr->operands[0], point);
      return condition ? Evaluate(expr->operands[*condition != 0 ? 1 : 2], point) : std::nullopt;
    }
    case ExprKind::kBinary: {
      const std::optional<int64_t> a = Evaluate(expr->operands[0], point);
      const std::optional<int64_t> b = a ? Evaluate(expr->operands[1], point) : std::nullopt;
      return b ? EvaluateInts(expr->op, *a, *b) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

std::optional<Expr> Negation(const Expr& condition) {
  if (condition->kind == ExprKind::kInt) return Bool(condition->int_value == 0);
  if (condition->kind != ExprKind::kBinary) return std::nullopt;
  const Expr& a = condition->operands[0];
  const Expr& b = condition->operands[1];
  switch (condition->op) {
    case BinaryOp::kLess:
      return LessEqual(b, a);
    case BinaryOp::kLessEqual:
      return Less(b, a);
    case BinaryOp::kEqual:
      return Binary(BinaryOp::kOr, Less(a, b), Less(b, a));
    case BinaryOp::kAnd:
    case BinaryOp::kOr: {
      const std::optional<Expr> not_a = Negation(a);
      const std::optional<Expr> not_b = Negation(b);
      if (!not_a || !not_b) return std::nullopt;
      return Binary(condition->op == BinaryOp::kAnd ? BinaryOp::kOr : BinaryOp::kAnd, *not_a, *not_b);
    }
    default:
      return std::nullopt;
  }
}

Containment StaysInside(const Expr& value, int64_t extent, const std::vector<Expr>& conditions,
                        const VarRanges& ranges) {
  std::vector<Expr> conjuncts;
  for (const Expr& condition : conditions) CollectConjuncts(condition, &conjuncts);
  if (NeverPositive(Difference(Int(0), value), conjuncts, ranges) &&
      NeverPositive(Difference(value, Int(extent - 1)), conjuncts, ranges)) {
    return Containment::kInside;
  }
  return LookAtEveryPoint(value, extent, conjuncts, ranges);
}

}  // namespace tunefleet::codegen
