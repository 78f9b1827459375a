#include "tracker/service/blob_service.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/status_macros.h"
#include "tracker/core/validate.h"
#include "tracker/service/grpc_status.h"

namespace tunefleet::tracker {
namespace {

constexpr size_t kDownloadChunkBytes = 256 << 10;

// One upload. Every step follows from the one before, so none runs beside another: read, file work, read, ... Finish.
class UploadStream final : public grpc::ServerReadReactor<v1::UploadBlobRequest> {
 public:
  UploadStream(BlobStore* blobs, SerialExecutor* files, v1::UploadBlobResponse* response)
      : blobs_(blobs), files_(files), response_(response) {
    StartRead(&incoming_);
  }

  void OnReadDone(bool ok) override {
    files_->Post([this, ok] {
      if (!ok) return End();
      const absl::Status status = Take();
      if (!status.ok()) return Finish(ToGrpcStatus(status));
      StartRead(&incoming_);
    });
  }
  void OnDone() override { delete this; }

 private:
  absl::Status Take() {
    if (writer_ == nullptr) {
      TF_RETURN_IF_ERROR(ValidateDigest("blob digest", incoming_.digest()));
      TF_ASSIGN_OR_RETURN(writer_, blobs_->Write(incoming_.digest(), incoming_.total_bytes(), incoming_.offset()));
      total_bytes_ = incoming_.total_bytes();
      complete_ = writer_->complete();
    }
    if (complete_) return absl::OkStatus();  // it was there already: the rest of the upload is let pass
    if (incoming_.data().size() > kMaxBlobChunkBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("blob chunk of ", incoming_.data().size(), " bytes: at most ", kMaxBlobChunkBytes, " expected"));
    }
    if (incoming_.offset() != writer_->size_bytes()) {
      return absl::InvalidArgumentError(
          absl::StrCat("blob chunk at offset ", incoming_.offset(), ": ", writer_->size_bytes(), " bytes are held"));
    }
    TF_RETURN_IF_ERROR(writer_->Write(incoming_.data()));
    if (writer_->size_bytes() < total_bytes_) return absl::OkStatus();
    complete_ = true;
    return writer_->Finish();
  }

  // The client has closed its side, or is gone: what has arrived stays.
  void End() {
    if (writer_ == nullptr) return Finish(ToGrpcStatus(absl::InvalidArgumentError("an upload without a message")));
    response_->set_size_bytes(writer_->size_bytes());
    writer_.reset();
    Finish(grpc::Status::OK);
  }

  BlobStore* const blobs_;
  SerialExecutor* const files_;
  v1::UploadBlobResponse* const response_;
  v1::UploadBlobRequest incoming_;
  std::unique_ptr<BlobWriter> writer_;
  uint64_t total_bytes_ = 0;
  bool complete_ = false;
};

// One download: open, read, write, read, ... Finish; none beside another.
class DownloadStream final : public grpc::ServerWriteReactor<v1::DownloadBlobResponse> {
 public:
  DownloadStream(BlobStore* blobs, SerialExecutor* files, const v1::DownloadBlobRequest& request)
      : blobs_(blobs), files_(files), digest_(request.digest()), offset_(request.offset()) {
    files_->Post([this] {
      const absl::Status status = Open();
      if (!status.ok()) return Finish(ToGrpcStatus(status));
      SendNext();
    });
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(ToGrpcStatus(absl::CancelledError("the reader is gone")));
    files_->Post([this] { SendNext(); });
  }
  void OnDone() override { delete this; }

 private:
  absl::Status Open() {
    TF_RETURN_IF_ERROR(ValidateDigest("blob digest", digest_));
    TF_ASSIGN_OR_RETURN(reader_, blobs_->Read(digest_));
    if (offset_ <= reader_->size_bytes()) return absl::OkStatus();
    return absl::OutOfRangeError(absl::StrCat("blob ", common::HexDigest(digest_), ": offset ", offset_,
                                              " is past its end, ", reader_->size_bytes()));
  }

  void SendNext() {
    absl::StatusOr<std::string> data = reader_->Read(offset_, kDownloadChunkBytes);
    if (!data.ok()) return Finish(ToGrpcStatus(data.status()));
    if (data->empty() && offset_ < reader_->size_bytes()) {
      return Finish(
          ToGrpcStatus(absl::DataLossError(absl::StrCat("blob ", common::HexDigest(digest_), ": cut short"))));
    }
    if (data->empty() && sent_any_) return Finish(grpc::Status::OK);
    offset_ += data->size();
    sent_any_ = true;
    outgoing_.set_total_bytes(reader_->size_bytes());
    outgoing_.set_data(*std::move(data));
    StartWrite(&outgoing_);
  }

  BlobStore* const blobs_;
  SerialExecutor* const files_;
  const std::string digest_;
  uint64_t offset_;
  bool sent_any_ = false;  // even a download of nothing tells the total
  std::unique_ptr<BlobReader> reader_;
  v1::DownloadBlobResponse outgoing_;
};

}  // namespace

grpc::ServerUnaryReactor* BlobServiceImpl::Status(grpc::CallbackServerContext* context,
                                                  const v1::BlobStatusRequest* request,
                                                  v1::BlobStatusResponse* response) {
  const absl::Status status = ValidateDigest("blob digest", request->digest());
  if (status.ok()) {
    const BlobStore::BlobStatus blob = blobs_->Status(request->digest());
    response->set_complete(blob.complete);
    response->set_size_bytes(blob.size_bytes);
  }
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

grpc::ServerReadReactor<v1::UploadBlobRequest>* BlobServiceImpl::Upload(grpc::CallbackServerContext*,
                                                                        v1::UploadBlobResponse* response) {
  return new UploadStream(blobs_, &files_, response);
}

grpc::ServerWriteReactor<v1::DownloadBlobResponse>* BlobServiceImpl::Download(grpc::CallbackServerContext*,
                                                                              const v1::DownloadBlobRequest* request) {
  return new DownloadStream(blobs_, &files_, *request);
}

}  // namespace tunefleet::tracker
