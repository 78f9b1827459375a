#include "tests/mutants/mutate.h"

#include <iterator>
#include <utility>
#include <vector>

#include "absl/random/distributions.h"
#include "absl/strings/str_cat.h"
#include "codegen/ir/printer.h"
#include "codegen/ir/tree.h"
#include "tests/mutants/faults.h"

namespace tunefleet::codegen {
namespace {

constexpr int kTries = 200;  // places tried before a fault is said to fit nowhere

struct NamedFault {
  const char* name;
  std::optional<Stmt> (*apply)(const Place& place, absl::BitGenRef random);
};

constexpr NamedFault kFaults[] = {
    {"loop ends one early", EndEarly},
    {"loop starts one late", StartLate},
    {"loop ends one late", EndLate},
    {"block left out", LeaveOut},
    {"block runs twice", RunTwice},
    {"assignment adds", AssignmentAdds},
    {"addition assigns", AdditionAssigns},
    {"indices of a load exchanged", ExchangeIndices},
    {"operands exchanged", ExchangeOperands},
    {"load one off", ShiftLoad},
    {"store one off", ShiftStore},
    {"stride one off", ChangeStride},
    {"index stands still", FreezeIndex},
    {"index of another loop", ConfuseIndices},
    {"condition dropped", DropCondition},
    {"bound one off", MoveBound},
    {"first iteration only", FirstIterationOnly},
    {"last iteration left out", LeaveOutLastIteration},
    {"one instance left out", LeaveOutInstance},
    {"statements exchanged", ExchangeStatements},
};

// Every statement under the last one of `path`, itself included, as a place; not what an intrinsic stands in for, which
// nobody compiles.
void Collect(const Path& path, std::vector<Path>* paths) {
  if (const Loop* loop = As<Loop>(path.target()); loop != nullptr && loop->kind == LoopKind::kTensorized) return;
  paths->push_back(path);
  const auto descend = [&](const Stmt& child) {
    Path longer = path;
    longer.stmts.push_back(child);
    Collect(longer, paths);
  };
  if (const Loop* loop = As<Loop>(path.target())) {
    descend(loop->body);
  } else if (const Seq* seq = As<Seq>(path.target())) {
    for (const Stmt& child : seq->stmts) descend(child);
  } else if (const If* branch = As<If>(path.target())) {
    descend(branch->then_stmt);
  }
}

}  // namespace

int NumFaults() { return static_cast<int>(std::size(kFaults)); }

const char* FaultName(int fault) { return kFaults[fault].name; }

std::optional<Mutant> Mutate(const LoopNest& nest, int fault, absl::BitGenRef random) {
  std::vector<Path> paths;
  if (nest.prepare != nullptr) Collect(Path{true, {nest.prepare}}, &paths);
  Collect(Path{false, {nest.run}}, &paths);
  for (int i = 0; i < kTries; ++i) {
    const Path& path = paths[absl::Uniform<size_t>(random, 0, paths.size())];
    const std::optional<Stmt> changed = kFaults[fault].apply({&nest, &path}, random);
    if (!changed.has_value()) continue;
    Mutant mutant{ReplaceTarget(nest, path, *changed), ""};
    if (mutant.nest.run == nullptr || (nest.prepare != nullptr && mutant.nest.prepare == nullptr)) continue;
    const std::string before = Print(nest, path.target());
    mutant.place = absl::StrCat(path.in_prepare ? "prepare: " : "run: ", before.substr(0, 300), "  ==>  ",
                                *changed == nullptr ? "nothing" : Print(nest, *changed).substr(0, 300));
    return mutant;
  }
  return std::nullopt;
}

}  // namespace tunefleet::codegen
