#include "tuner/fleet/channel.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace tunefleet::tuner {

absl::Status CheckTrackerAddress(const std::string& address) {
  const auto wrong = [&address](absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat("tracker address '", address, "': ", why,
                                                   "; expected HOST:PORT, e.g. 127.0.0.1:9190, or unix:PATH"));
  };
  absl::string_view rest = address;
  if (absl::ConsumePrefix(&rest, "unix:")) {
    return rest.empty() ? wrong("the path is missing") : absl::OkStatus();
  }
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return wrong("the port is missing");
  if (colon == 0) return wrong("the host is missing");
  int port = 0;
  if (!absl::SimpleAtoi(address.substr(colon + 1), &port) || port < 1 || port > 65535) {
    return wrong(absl::StrCat("'", address.substr(colon + 1), "' is not a port (1 to 65535)"));
  }
  return absl::OkStatus();
}

std::shared_ptr<grpc::Channel> MakeTrackerChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5000);  // what one attempt may take
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 10000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5000);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // its own back-off
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

absl::Status FromGrpcStatus(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

}  // namespace tunefleet::tuner
