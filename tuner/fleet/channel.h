// Channels to a tracker.
#ifndef TUNEFLEET_TUNER_FLEET_CHANNEL_H_
#define TUNEFLEET_TUNER_FLEET_CHANNEL_H_

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "absl/status/status.h"

namespace tunefleet::tuner {

// "HOST:PORT" or "unix:PATH". Errors: INVALID_ARGUMENT, saying what would be right.
absl::Status CheckTrackerAddress(const std::string& address);

// Connects when it is first used and again after every loss, with a second between attempts at most; a silent loss is
// noticed within seconds.
std::shared_ptr<grpc::Channel> MakeTrackerChannel(const std::string& address);

// The same code and message; what gRPC says about its own transport is kept.
absl::Status FromGrpcStatus(const grpc::Status& status);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_FLEET_CHANNEL_H_
