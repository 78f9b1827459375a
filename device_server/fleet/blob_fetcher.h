// Fetches blobs ahead of the trials that need them, one at a time, on a thread of its own.
//
// A broken download resumes where it stopped, for as long as somebody wants the blob. Content is held against its
// digest before anybody sees it. Thread-safe.
#ifndef TUNEFLEET_DEVICE_SERVER_FLEET_BLOB_FETCHER_H_
#define TUNEFLEET_DEVICE_SERVER_FLEET_BLOB_FETCHER_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/mutex.h"
#include "device_server/fleet/blob_cache.h"
#include "device_server/measure/blob_source.h"

namespace tunefleet::device {

class BlobDownloader {
 public:
  virtual ~BlobDownloader() = default;
  // Appends to `bytes` what the blob holds from bytes->size() on. What arrived stays there on error. Blocks.
  // Errors: NOT_FOUND, OUT_OF_RANGE (more is held than there is), others are worth another try.
  virtual absl::Status Download(const std::string& digest, std::string* bytes) = 0;
};

// The blobs of one trial; they stay until it is destroyed.
class HeldBlobs : public BlobSource {
 public:
  absl::StatusOr<Blob> Get(absl::string_view digest) const override;

 private:
  friend class BlobFetcher;
  std::map<std::string, Blob, std::less<>> blobs_;
};

class BlobFetcher {
 public:
  // Both outlive the fetcher. `retry_wait` lies between attempts.
  BlobFetcher(BlobDownloader* downloader, BlobCache* cache, absl::Duration retry_wait);
  ~BlobFetcher();

  // Starts fetching what is not there yet; later wishes come after earlier ones.
  void Want(const std::vector<std::string>& digests);

  // Waits for all of them. `give_up` is asked now and then. Errors: CANCELLED (given up), NOT_FOUND (the tracker has
  // no such blob), DATA_LOSS (its content does not match, again and again), or what else the tracker keeps answering.
  absl::StatusOr<HeldBlobs> Wait(const std::vector<std::string>& digests, const std::function<bool()>& give_up);

 private:
  struct Progress {
    std::string bytes;
    int refusals = 0;
  };

  void Main();
  // Null: nothing to do and the fetcher ends.
  bool NextDigest(std::string* digest);
  // True when `digest` is settled one way or the other.
  bool Settle(const std::string& digest, const absl::Status& status, Progress* progress);

  BlobDownloader* const downloader_;
  BlobCache* const cache_;
  const absl::Duration retry_wait_;
  common::Mutex mutex_;
  common::CondVar changed_;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<std::string> wanted_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, absl::Status> failed_ ABSL_GUARDED_BY(mutex_);  // until somebody waits for it
  std::thread thread_;
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_FLEET_BLOB_FETCHER_H_
