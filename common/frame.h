// Messages over a pipe or socket between our own processes.
//
//   frame := length:uint32 little-endian, then `length` bytes of a serialized message
#ifndef TUNEFLEET_COMMON_FRAME_H_
#define TUNEFLEET_COMMON_FRAME_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "google/protobuf/message_lite.h"

namespace tunefleet::common {

inline constexpr uint32_t kMaxFrameBytes = 256u << 20;

// Writes one frame; restarts on EINTR and short writes, never raises SIGPIPE on sockets. Errors: UNAVAILABLE when the
// reader is gone, INVALID_ARGUMENT when the message is over kMaxFrameBytes.
absl::Status WriteFrame(int fd, const google::protobuf::MessageLite& message);

// Reads one frame. Errors: OUT_OF_RANGE at a clean end of stream, DATA_LOSS on a truncated or unparsable frame,
// RESOURCE_EXHAUSTED over kMaxFrameBytes, DEADLINE_EXCEEDED when the whole frame is not there in time.
absl::Status ReadFrame(int fd, google::protobuf::MessageLite* message,
                       absl::Duration timeout = absl::InfiniteDuration());

}  // namespace tunefleet::common

#endif  // TUNEFLEET_COMMON_FRAME_H_
