#include "codegen/lowering/fold_literals.h"

#include <optional>

#include "codegen/lowering/rewrite.h"

namespace tunefleet::codegen {
namespace {

// factor * rest; a null rest is 1.
struct Product {
  double factor;
  Expr rest;
};

class Folder {
 public:
  explicit Folder(const LoopNest& nest) : nest_(nest) {}

  Expr Fold(const Expr& value) const {
    bool loads_literal = false;
    Visit(value, [&](const Expr& expr) { loads_literal = loads_literal || IsLiteral(expr); });
    return loads_literal ? Write(Factored(value), value->type) : value;
  }

 private:
  bool IsLiteral(const Expr& expr) const {
    return expr->kind == ExprKind::kLoad && nest_.buffers[expr->buffer].role == Role::kLiteral;
  }

  // The element; nullopt when an index is not constant.
  std::optional<double> ElementOf(const Expr& load) const {
    const Buffer& buffer = nest_.buffers[load->buffer];
    int64_t position = 0;
    for (size_t d = 0; d < buffer.shape.size(); ++d) {
      const std::optional<int64_t> index = ConstantInt(load->operands[d]);
      if (!index.has_value() || *index < 0 || *index >= buffer.shape[d]) return std::nullopt;
      position = position * buffer.shape[d] + *index;
    }
    const double value = buffer.literal[position];
    return buffer.type == ScalarType::kFloat32 ? static_cast<float>(value) : value;
  }

  Product Factored(const Expr& expr) const {
    if (!IsFloat(expr->type)) return {1, expr};
    if (expr->kind == ExprKind::kFloat) return {expr->float_value, nullptr};
    if (IsLiteral(expr)) {
      const std::optional<double> element = ElementOf(expr);
      return element.has_value() ? Product{*element, nullptr} : Product{1, expr};
    }
    if (expr->kind == ExprKind::kSelect) {
      return {1, Select(expr->operands[0], Fold(expr->operands[1]), Fold(expr->operands[2]))};
    }
    if (expr->kind != ExprKind::kBinary) return {1, expr};
    const Product a = Factored(expr->operands[0]);
    const Product b = Factored(expr->operands[1]);
    switch (expr->op) {
      case BinaryOp::kMul:
        return Times(a, b, expr->type);
      case BinaryOp::kAdd:
        return Plus(a, b, 1, expr->type);
      case BinaryOp::kSub:
        return Plus(a, b, -1, expr->type);
      default:
        return {1, Binary(expr->op, Write(a, expr->type), Write(b, expr->type))};
    }
  }

  static Product Times(const Product& a, const Product& b, ScalarType type) {
    if (a.factor == 0 || b.factor == 0) return {0, nullptr};
    if (a.rest == nullptr && (b.rest == nullptr || b.factor == 1 || b.factor == -1)) {
      if (b.rest != nullptr) return {a.factor * b.factor, b.rest};
      return {1, Binary(BinaryOp::kMul, Write(a, type), Write(b, type))};
    }
    if (b.rest == nullptr && (a.factor == 1 || a.factor == -1)) return {a.factor * b.factor, a.rest};
    return {1, Binary(BinaryOp::kMul, Write(a, type), Write(b, type))};
  }

  // a + sign * b
  static Product Plus(const Product& a, const Product& b, double sign, ScalarType type) {
    const double factor = sign * b.factor;
    if (factor == 0) return a;
    if (a.factor == 0) return {factor, b.rest};
    const bool common = a.factor == factor || a.factor == -factor;
    const double outer = common ? a.factor : a.factor < 0 ? -1 : 1;
    const Expr left = Write({a.factor / outer, a.rest}, type);
    const double right_factor = factor / outer;
    if (right_factor < 0) return {outer, Binary(BinaryOp::kSub, left, Write({-right_factor, b.rest}, type))};
    return {outer, Binary(BinaryOp::kAdd, left, Write({right_factor, b.rest}, type))};
  }

  static Expr Write(const Product& product, ScalarType type) {
    const Expr factor = Float(product.factor, type);
    if (product.rest == nullptr || product.factor == 0) return factor;
    if (product.factor == -1 && product.rest->kind == ExprKind::kBinary && product.rest->op == BinaryOp::kSub) {
      return Binary(BinaryOp::kSub, product.rest->operands[1], product.rest->operands[0]);
    }
    return Binary(BinaryOp::kMul, product.rest, factor);
  }

  const LoopNest& nest_;
};

}  // namespace

LoopNest FoldLiterals(const LoopNest& nest) {
  const Folder folder(nest);
  return WithRoots(nest, [&](const Stmt& root) {
    return RewriteBlocks(root, [&](const Block& block, const VarRanges&) {
      Block folded = block;
      for (Store& store : folded.body) store.value = folder.Fold(store.value);
      return MakeStmt(std::move(folded));
    });
  });
}

}  // namespace tunefleet::codegen
