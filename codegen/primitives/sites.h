// Who uses what, and where: blocks with the loops around them, and the uses of buffers.
//
// Pointers are into the nodes of the nest that was asked, and live as long as it does.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_SITES_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_SITES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"
#include "codegen/ir/tree.h"

namespace tunefleet::codegen {

struct Site {
  const Block* block;
  std::vector<const Loop*> loops;  // around it, outermost first
};
// The blocks in the statement, in program order; `outer` loops are put before those of the statement.
std::vector<Site> SitesIn(const Stmt& stmt, std::vector<const Loop*> outer = {});

bool Reads(const Block& block, int buffer);
bool Writes(const Block& block, int buffer);
bool IsReduction(const Block& block);  // has an iterator that is not spatial
bool LoadsWhatItWrites(const Block& block);
// Its stores may be made in any order: sums or maxima of what it does not read.
bool StoresCommute(const Block& block);

// Blocks of the whole nest (prepare, then run) that write, or read or write, the buffer.
std::vector<const Block*> WritersOf(const LoopNest& nest, int buffer);
std::vector<const Block*> UsersOf(const LoopNest& nest, int buffer);

// A temporary whose storage the nest itself manages.
bool IsScratch(const Buffer& buffer);

// Errors: NOT_FOUND.
absl::StatusOr<int> FindBufferNamed(const LoopNest& nest, absl::string_view name);
// The same of one that is read from memory. Further errors: FAILED_PRECONDITION (it is local, or a literal).
absl::StatusOr<int> FindBufferInMemory(const LoopNest& nest, absl::string_view name);
// The scope "local", "workspace" or "shared". Errors: INVALID_ARGUMENT.
absl::StatusOr<Scope> ScratchScope(absl::string_view name);

absl::Status Refuse(const std::string& message);  // FAILED_PRECONDITION

// Errors: FAILED_PRECONDITION when the loop is not serial.
absl::Status CheckSerial(const Loop& loop);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_SITES_H_
