// Random index expressions and conditions over a few variables, and their values by plain recursion.
#ifndef TUNEFLEET_TESTS_CODEGEN_IR_RANDOM_EXPR_H_
#define TUNEFLEET_TESTS_CODEGEN_IR_RANDOM_EXPR_H_

#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <vector>

#include "codegen/ir/interval.h"

namespace tunefleet::codegen {

using Point = std::map<Var, int64_t>;

inline int64_t ValueAt(const Expr& expr, const Point& point) {
  if (expr->kind == ExprKind::kInt) return expr->int_value;
  if (expr->kind == ExprKind::kVar) return point.at(expr->var);
  if (expr->kind == ExprKind::kSelect) {
    return ValueAt(expr->operands[ValueAt(expr->operands[0], point) != 0 ? 1 : 2], point);
  }
  const int64_t a = ValueAt(expr->operands[0], point);
  const int64_t b = ValueAt(expr->operands[1], point);
  switch (expr->op) {
    case BinaryOp::kAdd:
      return a + b;
    case BinaryOp::kSub:
      return a - b;
    case BinaryOp::kMul:
      return a * b;
    case BinaryOp::kFloorDiv: {
      int64_t quotient = a / b;
      while (quotient * b > a) --quotient;  // divisors here are positive
      return quotient;
    }
    case BinaryOp::kFloorMod: {
      int64_t rest = a % b;
      while (rest < 0) rest += b;
      return rest;
    }
    case BinaryOp::kMin:
      return a < b ? a : b;
    case BinaryOp::kMax:
      return a > b ? a : b;
    case BinaryOp::kLess:
      return a < b;
    case BinaryOp::kLessEqual:
      return a <= b;
    case BinaryOp::kEqual:
      return a == b;
    case BinaryOp::kAnd:
      return a != 0 && b != 0;
    case BinaryOp::kOr:
      return a != 0 || b != 0;
    case BinaryOp::kDiv:
      break;
  }
  return 0;
}

class RandomExprs {
 public:
  explicit RandomExprs(uint64_t seed) : random_(seed) {
    for (const char* name : {"a", "b", "c"}) {
      vars_.push_back(MakeVar(name));
      const int64_t min = Between(-5, 5);
      ranges_[vars_.back()] = {min, min + Between(0, 8)};
    }
  }

  const VarRanges& ranges() const { return ranges_; }

  Expr Index(int depth) {
    if (depth == 0) return Between(0, 3) == 0 ? Int(Between(-9, 9)) : VarRef(vars_[Between(0, 2)]);
    const Expr a = Index(depth - 1);
    switch (Between(0, 9)) {
      case 0:
      case 1:
        return a + Index(depth - 1);
      case 2:
        return a - Index(depth - 1);
      case 3:
      case 4:
        return a * Int(Between(-3, 8));
      case 5:
        return FloorDiv(a, Int(Between(1, 12)));
      case 6:
        return FloorMod(a, Int(Between(1, 12)));
      case 7:
        return Min(a, Index(depth - 1));
      case 8:
        return Max(a, Index(depth - 1));
      default:
        return Select(Condition(depth - 1), a, Index(depth - 1));
    }
  }

  Expr Condition(int depth) {
    const Expr a = Index(depth);
    const Expr b = Between(0, 1) == 0 ? Int(Between(-20, 40)) : Index(depth);
    switch (Between(0, 6)) {
      case 0:
      case 1:
        return Less(a, b);
      case 2:
      case 3:
        return LessEqual(a, b);
      case 4:
        return Equal(a, b);
      case 5:
        return And(Less(a, b), LessEqual(Index(depth), b));
      default:
        return Binary(BinaryOp::kOr, Less(a, b), Equal(a, Index(depth)));
    }
  }

  void ForEachPoint(const std::function<void(const Point&)>& visit) const {
    Point point;
    VisitFrom(0, &point, visit);
  }

 private:
  int64_t Between(int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(random_); }

  void VisitFrom(size_t index, Point* point, const std::function<void(const Point&)>& visit) const {
    if (index == vars_.size()) return visit(*point);
    const Interval& range = ranges_.at(vars_[index]);
    for (int64_t value = range.min; value <= range.max; ++value) {
      (*point)[vars_[index]] = value;
      VisitFrom(index + 1, point, visit);
    }
  }

  std::mt19937_64 random_;
  std::vector<Var> vars_;
  VarRanges ranges_;
};

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_TESTS_CODEGEN_IR_RANDOM_EXPR_H_
