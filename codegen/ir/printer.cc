#include "codegen/ir/printer.h"

#include <charconv>
#include <cmath>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace tunefleet::codegen {
namespace {

// How tightly an expression binds; an operand that binds less tightly gets parentheses.
enum Precedence { kOrPrecedence, kAndPrecedence, kComparePrecedence, kSumPrecedence, kProductPrecedence, kTight };

struct OpText {
  absl::string_view text;
  Precedence precedence;
};

OpText TextOf(BinaryOp op) {
  switch (op) {
    case BinaryOp::kAdd:
      return {" + ", kSumPrecedence};
    case BinaryOp::kSub:
      return {" - ", kSumPrecedence};
    case BinaryOp::kMul:
      return {"*", kProductPrecedence};
    case BinaryOp::kDiv:
      return {" / ", kProductPrecedence};
    case BinaryOp::kFloorDiv:
      return {" // ", kProductPrecedence};
    case BinaryOp::kFloorMod:
      return {" % ", kProductPrecedence};
    case BinaryOp::kMin:
      return {"min", kTight};
    case BinaryOp::kMax:
      return {"max", kTight};
    case BinaryOp::kLess:
      return {" < ", kComparePrecedence};
    case BinaryOp::kLessEqual:
      return {" <= ", kComparePrecedence};
    case BinaryOp::kEqual:
      return {" == ", kComparePrecedence};
    case BinaryOp::kAnd:
      return {" && ", kAndPrecedence};
    case BinaryOp::kOr:
      return {" || ", kOrPrecedence};
  }
  return {"?", kTight};
}

absl::string_view TextOf(ScalarType type) {
  switch (type) {
    case ScalarType::kFloat32:
      return "float32";
    case ScalarType::kFloat64:
      return "float64";
    case ScalarType::kInt32:
      return "int32";
    case ScalarType::kInt8:
      return "int8";
    case ScalarType::kIndex:
      return "index";
    case ScalarType::kBool:
      return "bool";
  }
  return "?";
}

absl::string_view TextOf(Role role) {
  switch (role) {
    case Role::kInput:
      return "input";
    case Role::kConstant:
      return "constant";
    case Role::kPrepared:
      return "prepared";
    case Role::kOutput:
      return "output";
    case Role::kTemporary:
      return "temporary";
    case Role::kLiteral:
      return "literal";
  }
  return "?";
}

absl::string_view TextOf(Scope scope) {
  switch (scope) {
    case Scope::kGlobal:
      return "global";
    case Scope::kWorkspace:
      return "workspace";
    case Scope::kLocal:
      return "local";
    case Scope::kShared:
      return "shared";
  }
  return "?";
}

absl::string_view TextOf(IterKind kind) {
  switch (kind) {
    case IterKind::kSpatial:
      return "spatial";
    case IterKind::kReduction:
      return "reduction";
    case IterKind::kOrdered:
      return "ordered";
  }
  return "?";
}

absl::string_view TextOf(StoreOp op) {
  switch (op) {
    case StoreOp::kAssign:
      return "=";
    case StoreOp::kAdd:
      return "+=";
    case StoreOp::kMax:
      return "max=";
  }
  return "?";
}

absl::string_view TextOf(ExecutionScope scope) {
  switch (scope) {
    case ExecutionScope::kThread:
      return "thread";
    case ExecutionScope::kWarp:
      return "warp";
    case ExecutionScope::kWarpGroup:
      return "warpgroup";
    case ExecutionScope::kBlock:
      return "block";
  }
  return "?";
}

class Printer {
 public:
  explicit Printer(const LoopNest& nest) : nest_(nest) {}

  std::string Take() && { return std::move(out_); }

  void PrintNest() {
    absl::StrAppend(&out_, "nest ", nest_.name, ":\n");
    for (const Buffer& buffer : nest_.buffers) {
      absl::StrAppend(&out_, "  ", buffer.name, ": ", TextOf(buffer.type));
      Join("[", buffer.shape, "]", [this](int64_t extent) { absl::StrAppend(&out_, extent); });
      absl::StrAppend(&out_, " ", TextOf(buffer.role), " ", TextOf(buffer.scope));
      if (buffer.row_padding != 0) absl::StrAppend(&out_, " row_padding ", buffer.row_padding);
      if (buffer.prefetch_bytes != 0) absl::StrAppend(&out_, " prefetch ", buffer.prefetch_bytes);
      if (buffer.fold_loads) absl::StrAppend(&out_, " fold_loads");
      if (!buffer.literal.empty()) Join(" = {", buffer.literal, "}", [this](double value) { PrintNumber(value); });
      out_ += '\n';
    }
    if (nest_.prepare != nullptr) {
      out_ += "prepare:\n";
      PrintStmt(nest_.prepare, 1);
    }
    out_ += "run:\n";
    if (nest_.run != nullptr) PrintStmt(nest_.run, 1);
  }

  void PrintStmt(const Stmt& stmt, int depth) {
    if (const Loop* loop = As<Loop>(stmt)) {
      Indent(depth);
      absl::StrAppend(&out_, "for ", loop->var->name, " in [");
      PrintExpr(loop->begin, kOrPrecedence);
      out_ += ", ";
      PrintExpr(loop->begin + loop->extent, kOrPrecedence);
      absl::StrAppend(&out_, ") ", TextOf(loop->kind), loop->intrinsic.empty() ? "" : " by ", loop->intrinsic, ":\n");
      PrintStmt(loop->body, depth + 1);
    } else if (const If* branch = As<If>(stmt)) {
      Indent(depth);
      out_ += "if ";
      PrintExpr(branch->condition, kOrPrecedence);
      out_ += ":\n";
      PrintStmt(branch->then_stmt, depth + 1);
    } else if (const Seq* seq = As<Seq>(stmt)) {
      for (const Stmt& child : seq->stmts) PrintStmt(child, depth);
    } else if (const Block* block = As<Block>(stmt)) {
      PrintBlock(*block, depth);
    }
  }

  void PrintExpr(const Expr& expr, Precedence around) {
    switch (expr->kind) {
      case ExprKind::kInt:
        PrintInt(*expr, around);
        return;
      case ExprKind::kFloat:
        PrintFloat(*expr, around);
        return;
      case ExprKind::kVar:
        out_ += expr->var->name;
        return;
      case ExprKind::kBinary:
        PrintBinary(*expr, around);
        return;
      case ExprKind::kSelect:
        out_ += "select";
        PrintExprs("(", expr->operands, ")");
        return;
      case ExprKind::kCast:
        absl::StrAppend(&out_, "cast<", TextOf(expr->type), ">");
        PrintExprs("(", expr->operands, ")");
        return;
      case ExprKind::kLoad:
        PrintBufferName(expr->buffer);
        PrintExprs("[", expr->operands, "]");
        return;
    }
  }

 private:
  template <typename List, typename Function>
  void Join(absl::string_view open, const List& list, absl::string_view close, const Function& print) {
    absl::StrAppend(&out_, open);
    bool first = true;
    for (const auto& item : list) {
      if (!first) out_ += ", ";
      first = false;
      print(item);
    }
    absl::StrAppend(&out_, close);
  }

  void PrintExprs(absl::string_view open, const std::vector<Expr>& exprs, absl::string_view close) {
    Join(open, exprs, close, [this](const Expr& expr) { PrintExpr(expr, kOrPrecedence); });
  }

  void Indent(int depth) { out_.append(static_cast<size_t>(depth) * 2, ' '); }

  void PrintBufferName(int buffer) {
    if (buffer >= 0 && buffer < static_cast<int>(nest_.buffers.size())) {
      out_ += nest_.buffers[buffer].name;
    } else {
      absl::StrAppend(&out_, "buffer#", buffer);
    }
  }

  void PrintInt(const ExprNode& expr, Precedence around) {
    if (expr.type == ScalarType::kBool) {
      out_ += expr.int_value != 0 ? "true" : "false";
      return;
    }
    const bool parentheses = expr.int_value < 0 && around > kSumPrecedence;
    absl::StrAppend(&out_, parentheses ? "(" : "", expr.int_value,
                    expr.type == ScalarType::kInt32  ? "i32"
                    : expr.type == ScalarType::kInt8 ? "i8"
                                                     : "",
                    parentheses ? ")" : "");
  }

  // The shortest digits that read back as the same value.
  void PrintFloat(const ExprNode& expr, Precedence around) {
    char digits[64];
    const bool single = expr.type == ScalarType::kFloat32;
    const std::to_chars_result end =
        single ? std::to_chars(digits, digits + sizeof digits, static_cast<float>(expr.float_value))
               : std::to_chars(digits, digits + sizeof digits, expr.float_value);
    const absl::string_view text(digits, static_cast<size_t>(end.ptr - digits));
    const bool parentheses = std::signbit(expr.float_value) && around > kSumPrecedence;
    const bool integral = text.find_first_not_of("-0123456789") == absl::string_view::npos;
    absl::StrAppend(&out_, parentheses ? "(" : "", text, integral ? ".0" : "", single ? "f" : "",
                    parentheses ? ")" : "");
  }

  void PrintNumber(double value) {
    char digits[64];
    const std::to_chars_result end = std::to_chars(digits, digits + sizeof digits, value);
    absl::StrAppend(&out_, absl::string_view(digits, static_cast<size_t>(end.ptr - digits)));
  }

  void PrintBinary(const ExprNode& expr, Precedence around) {
    const OpText op = TextOf(expr.op);
    if (op.precedence == kTight) {
      absl::StrAppend(&out_, op.text);
      PrintExprs("(", expr.operands, ")");
      return;
    }
    const bool parentheses = op.precedence < around;
    if (parentheses) out_ += '(';
    // Left-associative, comparisons not associative at all.
    const Precedence tighter = static_cast<Precedence>(op.precedence + 1);
    PrintExpr(expr.operands[0], op.precedence == kComparePrecedence ? tighter : op.precedence);
    absl::StrAppend(&out_, op.text);
    PrintExpr(expr.operands[1], tighter);
    if (parentheses) out_ += ')';
  }

  void PrintBlock(const Block& block, int depth) {
    Indent(depth);
    absl::StrAppend(&out_, "block ", block.name);
    Join("(", block.iters, ")", [this](const BlockIter& iter) {
      absl::StrAppend(&out_, iter.var->name, ": ", TextOf(iter.kind), "[", iter.extent, "] = ");
      PrintExpr(iter.binding, kOrPrecedence);
    });
    if (block.scope != ExecutionScope::kThread) absl::StrAppend(&out_, " scope ", TextOf(block.scope));
    if (!block.predicate.empty()) PrintExprs(" where ", block.predicate, "");
    if (!block.guard.empty()) PrintExprs(" guard ", block.guard, "");
    out_ += '\n';
    PrintRegions("reads ", block.reads, depth + 1);
    PrintRegions("writes ", block.writes, depth + 1);
    PrintStores("init:", block.init, depth + 1);
    PrintStores("do:", block.body, depth + 1);
  }

  void PrintRegions(absl::string_view title, const std::vector<BufferRegion>& regions, int depth) {
    if (regions.empty()) return;
    Indent(depth);
    Join(title, regions, "\n", [this](const BufferRegion& region) {
      PrintBufferName(region.buffer);
      Join("[", region.ranges, "]", [this](const Range& range) {
        PrintExpr(range.begin, kOrPrecedence);
        if (range.extent != 1) absl::StrAppend(&out_, " :+ ", range.extent);
      });
    });
  }

  void PrintStores(absl::string_view title, const std::vector<Store>& stores, int depth) {
    if (stores.empty()) return;
    Indent(depth);
    absl::StrAppend(&out_, title, "\n");
    for (const Store& store : stores) {
      Indent(depth + 1);
      PrintBufferName(store.buffer);
      PrintExprs("[", store.indices, "]");
      absl::StrAppend(&out_, " ", TextOf(store.op), " ");
      PrintExpr(store.value, kOrPrecedence);
      out_ += '\n';
    }
  }

  const LoopNest& nest_;
  std::string out_;
};

}  // namespace

std::string Print(const LoopNest& nest) {
  Printer printer(nest);
  printer.PrintNest();
  return std::move(printer).Take();
}

std::string Print(const LoopNest& nest, const Expr& expr) {
  Printer printer(nest);
  printer.PrintExpr(expr, kOrPrecedence);
  return std::move(printer).Take();
}

std::string Print(const LoopNest& nest, const Stmt& stmt) {
  Printer printer(nest);
  printer.PrintStmt(stmt, 0);
  return std::move(printer).Take();
}

absl::string_view TextOf(LoopKind kind) {
  switch (kind) {
    case LoopKind::kSerial:
      return "serial";
    case LoopKind::kParallel:
      return "parallel";
    case LoopKind::kVectorized:
      return "vectorized";
    case LoopKind::kUnrolled:
      return "unrolled";
    case LoopKind::kBlockX:
      return "block.x";
    case LoopKind::kBlockY:
      return "block.y";
    case LoopKind::kBlockZ:
      return "block.z";
    case LoopKind::kThreadX:
      return "thread.x";
    case LoopKind::kThreadY:
      return "thread.y";
    case LoopKind::kThreadZ:
      return "thread.z";
    case LoopKind::kVirtualThread:
      return "vthread";
    case LoopKind::kTensorized:
      return "tensorized";
  }
  return "?";
}

}  // namespace tunefleet::codegen
