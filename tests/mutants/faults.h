// The single faults of mutate.h: each a pure function from a place of a lowered nest to the statement that takes its
// place. Nullopt: the fault does not fit there (another kind of statement, nothing to change); null: the statement is
// left out.
#ifndef TUNEFLEET_TESTS_MUTANTS_FAULTS_H_
#define TUNEFLEET_TESTS_MUTANTS_FAULTS_H_

#include <optional>

#include "absl/random/bit_gen_ref.h"
#include "codegen/ir/tree.h"

namespace tunefleet::codegen {

struct Place {
  const LoopNest* nest;
  const Path* path;

  const Stmt& target() const { return path->target(); }
};

// Of loops with a constant extent.
std::optional<Stmt> EndEarly(const Place& place, absl::BitGenRef random);
std::optional<Stmt> StartLate(const Place& place, absl::BitGenRef random);
std::optional<Stmt> EndLate(const Place& place, absl::BitGenRef random);

// Of blocks.
std::optional<Stmt> LeaveOut(const Place& place, absl::BitGenRef random);
std::optional<Stmt> RunTwice(const Place& place, absl::BitGenRef random);
std::optional<Stmt> AssignmentAdds(const Place& place, absl::BitGenRef random);
std::optional<Stmt> AdditionAssigns(const Place& place, absl::BitGenRef random);
std::optional<Stmt> ExchangeIndices(const Place& place, absl::BitGenRef random);
std::optional<Stmt> ExchangeOperands(const Place& place, absl::BitGenRef random);
std::optional<Stmt> ShiftLoad(const Place& place, absl::BitGenRef random);
std::optional<Stmt> ShiftStore(const Place& place, absl::BitGenRef random);
std::optional<Stmt> ChangeStride(const Place& place, absl::BitGenRef random);
std::optional<Stmt> FreezeIndex(const Place& place, absl::BitGenRef random);
std::optional<Stmt> ConfuseIndices(const Place& place, absl::BitGenRef random);
std::optional<Stmt> FirstIterationOnly(const Place& place, absl::BitGenRef random);
std::optional<Stmt> LeaveOutLastIteration(const Place& place, absl::BitGenRef random);
std::optional<Stmt> LeaveOutInstance(const Place& place, absl::BitGenRef random);

// Of blocks with a predicate and of Ifs.
std::optional<Stmt> DropCondition(const Place& place, absl::BitGenRef random);
std::optional<Stmt> MoveBound(const Place& place, absl::BitGenRef random);

// Of sequences.
std::optional<Stmt> ExchangeStatements(const Place& place, absl::BitGenRef random);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_TESTS_MUTANTS_FAULTS_H_
