#include "tracker/tracker_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/mutex.h"
#include "common/status_macros.h"
#include "tracker/blobs/blob_store.h"
#include "tracker/listen_address.h"
#include "tracker/service/agent_service.h"
#include "tracker/service/blob_service.h"
#include "tracker/service/client_service.h"
#include "tracker/service/tracker_loop.h"
#include "tracker/store/store.h"

namespace tunefleet::tracker {
namespace {

// Members end in reverse order: the server first, what it uses after it.
class GrpcTrackerServer final : public TrackerServer {
 public:
  GrpcTrackerServer(std::unique_ptr<Store> store, std::unique_ptr<BlobStore> blobs, std::unique_ptr<TrackerLoop> loop,
                    ListenAddress address)
      : store_(std::move(store)),
        blobs_(std::move(blobs)),
        loop_(std::move(loop)),
        address_(std::move(address)),
        agent_service_(loop_.get()),
        client_service_(loop_.get()),
        blob_service_(blobs_.get()) {}

  ~GrpcTrackerServer() override { Shutdown(absl::Seconds(5)); }

  absl::Status Listen(absl::Duration keepalive) {
    const int keepalive_ms = static_cast<int>(absl::ToInt64Milliseconds(keepalive));
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address_.WithPort(address_.port), grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&agent_service_);
    builder.RegisterService(&client_service_);
    builder.RegisterService(&blob_service_);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // a port in use is an error
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, keepalive_ms);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, keepalive_ms);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 500);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || (!address_.is_unix() && port_ <= 0)) {
      return absl::UnavailableError(absl::StrCat("cannot listen on ", address_.WithPort(address_.port)));
    }
    return absl::OkStatus();
  }

  std::string address() const override { return address_.WithPort(port()); }
  int port() const override { return address_.is_unix() ? 0 : port_; }

  void Shutdown(absl::Duration deadline) override {
    common::MutexLock lock(&shutdown_);
    if (std::exchange(shut_down_, true)) return;
    loop_->Close();
    if (server_ != nullptr) server_->Shutdown(absl::ToChronoTime(absl::Now() + deadline));
    loop_->Stop();
    if (server_ != nullptr && address_.is_unix()) unlink(address_.unix_path.c_str());
  }

 private:
  const std::unique_ptr<Store> store_;
  const std::unique_ptr<BlobStore> blobs_;
  const std::unique_ptr<TrackerLoop> loop_;
  const ListenAddress address_;
  AgentServiceImpl agent_service_;
  ClientServiceImpl client_service_;
  BlobServiceImpl blob_service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  common::Mutex shutdown_;  // held while shutting down: others wait for the end of it
  bool shut_down_ ABSL_GUARDED_BY(shutdown_) = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TrackerServer>> TrackerServer::Start(const Options& options) {
  TF_ASSIGN_OR_RETURN(ListenAddress address, ParseListenAddress(options.listen));
  TF_ASSIGN_OR_RETURN(std::unique_ptr<Store> store, Store::Open(options.state_directory));
  TF_ASSIGN_OR_RETURN(std::unique_ptr<BlobStore> blobs,
                      BlobStore::Open(options.state_directory + "/blobs", options.max_blob_bytes));
  TF_RETURN_IF_ERROR(CheckBindable(address));
  Settings settings = options.settings;
  settings.wall_offset = absl::Now() - options.clock->Now();
  TF_ASSIGN_OR_RETURN(std::unique_ptr<TrackerLoop> loop,
                      TrackerLoop::Start(settings, options.tick, store.get(), blobs.get(), options.clock,
                                         {.on_failure = options.on_failure, .power_cycle = options.power_cycle}));
  auto server =
      std::make_unique<GrpcTrackerServer>(std::move(store), std::move(blobs), std::move(loop), std::move(address));
  TF_RETURN_IF_ERROR(server->Listen(options.keepalive));
  return server;
}

}  // namespace tunefleet::tracker
