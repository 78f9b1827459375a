// The agent's gRPC connection to its tracker: the message stream, and blob downloads beside it. Callback API only.
//
// Stream(), from one thread at a time, runs one stream from dial to end. Wake and Cancel may come from any thread, at
// any time. Download may run beside it on another thread. The handler is called on gRPC's threads, one call at a time
// for OnMessage; NextToSend is never called concurrently with itself.
#ifndef TUNEFLEET_DEVICE_SERVER_FLEET_TRACKER_CONNECTION_H_
#define TUNEFLEET_DEVICE_SERVER_FLEET_TRACKER_CONNECTION_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "device_server/fleet/blob_fetcher.h"
#include "proto/fleet.pb.h"

namespace tunefleet::device {

// "host:port", "[v6]:port" or "unix:PATH". Errors: INVALID_ARGUMENT says what is wrong and what would be right.
absl::Status CheckTrackerAddress(absl::string_view address);

class StreamHandler {
 public:
  virtual ~StreamHandler() = default;
  // The next message to send; nullopt: nothing now, Wake will be called.
  virtual std::optional<v1::AgentMessage> NextToSend() = 0;
  virtual void OnMessage(const v1::TrackerMessage& message) = 0;
};

class TrackerConnection : public BlobDownloader {
 public:
  // Does not dial yet. `address` passed CheckTrackerAddress.
  explicit TrackerConnection(const std::string& address);
  ~TrackerConnection() override;

  // Runs one stream; returns why it ended. A tracker that says nothing at all within `first_message_timeout` is given
  // up with DEADLINE_EXCEEDED.
  absl::Status Stream(StreamHandler* handler, absl::Duration first_message_timeout);

  // There is something to send.
  void Wake();

  // Ends the stream in good order once everything is sent.
  void FinishSending();

  // Ends the stream and the download in progress, and refuses later ones.
  void Cancel();

  absl::Status Download(const std::string& digest, std::string* bytes) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_FLEET_TRACKER_CONNECTION_H_
