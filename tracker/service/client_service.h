// TrackerService over gRPC: translates calls to the loop's; one reactor per Watch. Thread-safe.
#ifndef TUNEFLEET_TRACKER_SERVICE_CLIENT_SERVICE_H_
#define TUNEFLEET_TRACKER_SERVICE_CLIENT_SERVICE_H_

#include "proto/fleet.grpc.pb.h"
#include "tracker/service/tracker_loop.h"

namespace tunefleet::tracker {

class ClientServiceImpl final : public v1::TrackerService::CallbackService {
 public:
  // The loop must outlive the server that the service is registered with.
  explicit ClientServiceImpl(TrackerLoop* loop) : loop_(loop) {}

  grpc::ServerUnaryReactor* OpenJob(grpc::CallbackServerContext* context, const v1::OpenJobRequest* request,
                                    v1::OpenJobResponse* response) override;
  grpc::ServerUnaryReactor* Submit(grpc::CallbackServerContext* context, const v1::SubmitRequest* request,
                                   v1::SubmitResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchResponse>* Watch(grpc::CallbackServerContext* context,
                                                     const v1::WatchRequest* request) override;
  grpc::ServerUnaryReactor* Acknowledge(grpc::CallbackServerContext* context, const v1::AcknowledgeRequest* request,
                                        v1::AcknowledgeResponse* response) override;
  grpc::ServerUnaryReactor* CancelJob(grpc::CallbackServerContext* context, const v1::CancelJobRequest* request,
                                      v1::CancelJobResponse* response) override;
  grpc::ServerUnaryReactor* ProbeDevice(grpc::CallbackServerContext* context, const v1::ProbeDeviceRequest* request,
                                        v1::ProbeDeviceResponse* response) override;
  grpc::ServerUnaryReactor* ListDevices(grpc::CallbackServerContext* context, const v1::ListDevicesRequest* request,
                                        v1::ListDevicesResponse* response) override;
  grpc::ServerUnaryReactor* ListJobs(grpc::CallbackServerContext* context, const v1::ListJobsRequest* request,
                                     v1::ListJobsResponse* response) override;

 private:
  TrackerLoop* const loop_;
};

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TRACKER_SERVICE_CLIENT_SERVICE_H_
