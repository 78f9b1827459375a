// BlobService over gRPC: resumable uploads and downloads. File work runs on the service's own thread, never on gRPC's.
// Thread-safe.
#ifndef TUNEFLEET_TRACKER_SERVICE_BLOB_SERVICE_H_
#define TUNEFLEET_TRACKER_SERVICE_BLOB_SERVICE_H_

#include "proto/fleet.grpc.pb.h"
#include "tracker/blobs/blob_store.h"
#include "tracker/service/serial_executor.h"

namespace tunefleet::tracker {

class BlobServiceImpl final : public v1::BlobService::CallbackService {
 public:
  // The store must outlive the service, and the service the server.
  explicit BlobServiceImpl(BlobStore* blobs) : blobs_(blobs) {}

  grpc::ServerUnaryReactor* Status(grpc::CallbackServerContext* context, const v1::BlobStatusRequest* request,
                                   v1::BlobStatusResponse* response) override;
  grpc::ServerReadReactor<v1::UploadBlobRequest>* Upload(grpc::CallbackServerContext* context,
                                                         v1::UploadBlobResponse* response) override;
  grpc::ServerWriteReactor<v1::DownloadBlobResponse>* Download(grpc::CallbackServerContext* context,
                                                               const v1::DownloadBlobRequest* request) override;

 private:
  BlobStore* const blobs_;
  SerialExecutor files_;
};

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TRACKER_SERVICE_BLOB_SERVICE_H_
