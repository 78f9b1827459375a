// A right program that faults are put into: one workload under one schedule, with what tells right from wrong.
#ifndef TUNEFLEET_TESTS_MUTANTS_SUBJECT_H_
#define TUNEFLEET_TESTS_MUTANTS_SUBJECT_H_

#include <string>
#include <vector>

#include "absl/random/bit_gen_ref.h"
#include "absl/status/statusor.h"
#include "codegen/code_generator.h"
#include "codegen/lowering/lower.h"
#include "proto/measurement.pb.h"
#include "proto/workload.pb.h"
#include "tests/codegen/interpreter/interpreter.h"
#include "tests/support/test_blobs.h"
#include "tuner/pipeline/tuning_task.h"

namespace tunefleet::codegen {

// What a program does, apart from any device.
enum class Truth {
  kRight,      // the exact outputs, on several inputs
  kWrong,      // other outputs
  kIllFormed,  // breaks a rule of loop nests: reads what was never written, leaves a buffer, ...
};

struct Subject {
  tuner::TuningTask task;
  LoweredNest lowered;

  // Inputs and the exact outputs: the task's reference, and others. (Inputs from a lattice make fp32 exact:
  // codegen/operators/reference.h.)
  struct Example {
    Buffers inputs;
    Buffers outputs;
  };
  std::vector<Example> examples;

  // Interprets the program, a changed `lowered.nest`, and compares bit by bit.
  Truth Judge(const LoopNest& program) const;

  // Compiles it in a process of its own, as code generators may crash on what no lowering gives. Errors: ABORTED, and
  // those of the code generator.
  absl::StatusOr<Artifact> Compile(const LoopNest& program) const;

  // Whether the compiled program computes all examples exactly, from poisoned buffers between guard pages, in a process
  // of its own: what an ill-formed program comes to.
  bool ComputesExamples(const LoopNest& program, const Artifact& artifact) const;

  // The artifact as the tuner would have it measured; what it needs goes to `blobs`.
  absl::StatusOr<v1::Trial> MakeTrial(const Artifact& artifact, const std::string& trial_id,
                                      device::TestBlobs* blobs) const;
};

// The operator under a random schedule of one of its spaces. Errors: a malformed operator.
absl::StatusOr<Subject> MakeSubject(const std::string& op, const v1::Target& target, absl::BitGenRef random);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_TESTS_MUTANTS_SUBJECT_H_
