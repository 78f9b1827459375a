// Durations and instants as protobuf's messages, and back. Pure functions.
#ifndef TUNEFLEET_COMMON_PROTO_TIME_H_
#define TUNEFLEET_COMMON_PROTO_TIME_H_

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace tunefleet::common {

// Takes whatever the wire brings, also what is no valid Duration: too much becomes infinite, where protobuf's own
// conversions overflow.
absl::Duration DurationFromProto(const google::protobuf::Duration& duration);

// In nanoseconds; up to 292 years, which longer ones become.
google::protobuf::Duration DurationToProto(absl::Duration duration);
google::protobuf::Timestamp TimestampToProto(absl::Time time);

}  // namespace tunefleet::common

#endif  // TUNEFLEET_COMMON_PROTO_TIME_H_
