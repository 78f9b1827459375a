// Loop nests as readable pseudo-code (the grammar at the top of codegen/ir/loop_nest.h). The text is canonical: equal
// nests print equal, so its SHA-256 is the nest's digest.
#ifndef TUNEFLEET_CODEGEN_IR_PRINTER_H_
#define TUNEFLEET_CODEGEN_IR_PRINTER_H_

#include <string>

#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

std::string Print(const LoopNest& nest);
std::string Print(const LoopNest& nest, const Expr& expr);
std::string Print(const LoopNest& nest, const Stmt& stmt);
absl::string_view TextOf(LoopKind kind);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_IR_PRINTER_H_
