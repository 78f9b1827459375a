// AgentService over gRPC: one reactor per agent stream, an AgentSink of the loop. Thread-safe.
#ifndef TUNEFLEET_TRACKER_SERVICE_AGENT_SERVICE_H_
#define TUNEFLEET_TRACKER_SERVICE_AGENT_SERVICE_H_

#include "proto/fleet.grpc.pb.h"
#include "tracker/service/tracker_loop.h"

namespace tunefleet::tracker {

class AgentServiceImpl final : public v1::AgentService::CallbackService {
 public:
  // The loop must outlive the server that the service is registered with.
  explicit AgentServiceImpl(TrackerLoop* loop) : loop_(loop) {}

  grpc::ServerBidiReactor<v1::AgentMessage, v1::TrackerMessage>* Connect(grpc::CallbackServerContext* context) override;

 private:
  TrackerLoop* const loop_;
};

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TRACKER_SERVICE_AGENT_SERVICE_H_
