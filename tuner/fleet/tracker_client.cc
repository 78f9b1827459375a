#include "tuner/fleet/tracker_client.h"

#include <grpcpp/client_context.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/status_macros.h"
#include "proto/fleet.grpc.pb.h"
#include "tuner/fleet/channel.h"

namespace tunefleet::tuner {
namespace {

constexpr absl::Duration kPause = absl::Milliseconds(100);

template <typename Request, typename Response>
absl::StatusOr<Response> Ask(const std::string& address, absl::Duration timeout,
                             grpc::Status (v1::TrackerService::Stub::*method)(grpc::ClientContext*, const Request&,
                                                                              Response*)) {
  TF_RETURN_IF_ERROR(CheckTrackerAddress(address));
  const absl::Time end = absl::Now() + timeout;
  for (;;) {
    v1::TrackerService::Stub stub(MakeTrackerChannel(address));  // a new one connects at once
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(end));
    Response response;
    const grpc::Status status = (stub.*method)(&context, Request(), &response);
    if (status.ok()) return response;
    // A tracker that is being restarted is back within a moment.
    if (status.error_code() != grpc::StatusCode::UNAVAILABLE || absl::Now() + kPause > end) {
      return absl::UnavailableError(absl::StrCat("tracker ", address, " does not answer (", status.error_message(),
                                                 "); is tunefleet-tracker running there?"));
    }
    absl::SleepFor(kPause);
  }
}

}  // namespace

absl::StatusOr<v1::ProbeDeviceResponse> ProbeDevice(const std::string& address, const std::string& device_id,
                                                    absl::Duration timeout) {
  TF_RETURN_IF_ERROR(ListDevices(address).status());  // that there is a tracker, and that it is not being restarted
  v1::TrackerService::Stub stub(MakeTrackerChannel(address));
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  v1::ProbeDeviceRequest request;
  request.set_device_id(device_id);
  v1::ProbeDeviceResponse response;
  const grpc::Status status = stub.ProbeDevice(&context, request, &response);
  if (status.ok()) return response;
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

absl::StatusOr<v1::ListDevicesResponse> ListDevices(const std::string& address, absl::Duration timeout) {
  return Ask(address, timeout, &v1::TrackerService::Stub::ListDevices);
}

absl::StatusOr<v1::ListJobsResponse> ListJobs(const std::string& address, absl::Duration timeout) {
  return Ask(address, timeout, &v1::TrackerService::Stub::ListJobs);
}

}  // namespace tunefleet::tuner
