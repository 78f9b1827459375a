// Statuses between Abseil and gRPC: the codes are the same numbers.
#ifndef TUNEFLEET_TRACKER_SERVICE_GRPC_STATUS_H_
#define TUNEFLEET_TRACKER_SERVICE_GRPC_STATUS_H_

#include <grpcpp/support/status.h>

#include <string>

#include "absl/status/status.h"

namespace tunefleet::tracker {

inline grpc::Status ToGrpcStatus(const absl::Status& status) {
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()));
}

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TRACKER_SERVICE_GRPC_STATUS_H_
