// The builder's side of the socket: requests in, responses out, until the tuner closes it.
#ifndef TUNEFLEET_TUNER_BUILDER_BUILDER_SERVER_H_
#define TUNEFLEET_TUNER_BUILDER_BUILDER_SERVER_H_

#include <functional>

#include "absl/status/status.h"
#include "proto/build.pb.h"

namespace tunefleet::tuner {

// From now on a failed `new` ends the process with kOutOfMemoryExit, which the pool types.
void ExitWhenOutOfMemory();

// Serves kBuilderSocket until the tuner closes it (OK). Errors: those of common/frame.h.
absl::Status ServeBuilds(const std::function<v1::BuildResponse(const v1::BuildRequest&)>& build);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_BUILDER_BUILDER_SERVER_H_
