// ScheduleSpace: the programs that the search may choose from, for one workload, implementation and target.
//
// A space is a list of knobs. Each knob's domain may depend on the knobs before it and is never empty, so that every
// walk through the knobs in order ends in a config; constraints from the target are part of the domains, so that
// impossible candidates are never built. Domains may hold non-divisors. Immutable and thread-safe.
#ifndef TUNEFLEET_CODEGEN_SPACES_SCHEDULE_SPACE_H_
#define TUNEFLEET_CODEGEN_SPACES_SCHEDULE_SPACE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/random/bit_gen_ref.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "codegen/ir/loop_nest.h"
#include "proto/schedule.pb.h"
#include "proto/workload.pb.h"

namespace tunefleet::codegen {

// Knob values in the space's order.
using Values = std::vector<int64_t>;

class ScheduleSpace {
 public:
  virtual ~ScheduleSpace() = default;

  virtual const std::string& name() const = 0;  // e.g. "x86.conv2d.direct"
  virtual int version() const = 0;              // raised whenever the meaning of a knob changes
  virtual const std::vector<std::string>& knobs() const = 0;
  // Values that knob number prefix.size() may take after `prefix`, ascending, not empty.
  virtual std::vector<int64_t> Domain(absl::Span<const int64_t> prefix) const = 0;
  // The schedule of a complete config. Errors: INVALID_ARGUMENT when a value is not in its domain.
  virtual absl::StatusOr<v1::Schedule> ToSchedule(const Values& values) const = 0;
  // The program before any primitive was applied, over the implementation's loops.
  virtual const LoopNest& Fresh() const = 0;
  // The knobs as numbers that a cost model can learn from (values, and derived ones such as tile bytes and registers
  // used). Same length for every config of the space. Cheap: a few microseconds.
  virtual std::vector<float> KnobFeatures(const Values& values) const = 0;
  // A guess at the core cycles of a run, made without building anything, that orders configs of this space. Negative
  // where the space ventures none.
  virtual double DraftCycles(const Values&) const { return -1; }
};

// Number of configs, saturating at 2^62; estimated by sampling (fixed seed) when knobs depend on each other and there
// are many.
double SpaceSize(const ScheduleSpace& space);
// Every knob at the low end of its domain.
Values FirstValues(const ScheduleSpace& space);
// Uniform over each knob's domain, knob by knob.
Values RandomValues(const ScheduleSpace& space, absl::BitGenRef random);
// The one of so many random draws whose guess is least.
Values DraftedValues(const ScheduleSpace& space, int draws, absl::BitGenRef random);
// One knob changed to another value of its domain (when it has one), later knobs moved to the nearest value of theirs.
Values Neighbour(const ScheduleSpace& space, const Values& values, absl::BitGenRef random);
// True when every value is in its domain.
bool Contains(const ScheduleSpace& space, const Values& values);

v1::Config ToConfig(const ScheduleSpace& space, const Values& values);
// Errors: FAILED_PRECONDITION (another space or version), INVALID_ARGUMENT (unknown or missing knob, value outside the
// domain).
absl::StatusOr<Values> FromConfig(const ScheduleSpace& space, const v1::Config& config);

// Every space of every implementation of the workload's anchor on the target. Errors: UNIMPLEMENTED never;
// INVALID_ARGUMENT for a workload that has none.
absl::StatusOr<std::vector<std::unique_ptr<ScheduleSpace>>> SpacesFor(const v1::Workload& workload,
                                                                      const v1::Target& target);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_SPACES_SCHEDULE_SPACE_H_
