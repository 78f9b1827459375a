// Builder: the seam between the pipeline and compilers. Implementations: tuner/builder (a pool of builder processes),
// fakes in tests.
#ifndef TUNEFLEET_TUNER_PIPELINE_BUILDER_H_
#define TUNEFLEET_TUNER_PIPELINE_BUILDER_H_

#include "proto/build.pb.h"

namespace tunefleet::tuner {

class Builder {
 public:
  virtual ~Builder() = default;
  // Builds one candidate; blocks; called from up to Parallelism() threads at once. Never fails as a call: a compiler
  // that refuses, fails, crashes, stalls or eats memory is the response's outcome.
  virtual v1::BuildResponse Build(const v1::BuildRequest& request) = 0;
  virtual int Parallelism() const = 0;
};

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_PIPELINE_BUILDER_H_
