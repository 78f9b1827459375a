// Fetches blobs ahead of the trials that need them, one at a time, on a thread of its own.
//
// A blob is wanted while it is among the wishes or somebody waits for it; everything kept of one that is not (its
// place, what arrived of it, its failure) is forgotten. A download that breaks goes behind the others that are wanted
// and resumes where it stopped. Content is held against its digest before anybody sees it. Thread-safe.
#ifndef TUNEFLEET_DEVICE_SERVER_FLEET_BLOB_FETCHER_H_
#define TUNEFLEET_DEVICE_SERVER_FLEET_BLOB_FETCHER_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
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

  // What is to be fetched ahead from now on, in this order: all of it, wishes that are not repeated are withdrawn. New
  // ones come after older ones.
  void Want(const std::vector<std::string>& digests);

  // Waits for all of them. `give_up` is asked now and then. Errors: CANCELLED (given up), NOT_FOUND (the tracker has
  // no such blob), DATA_LOSS (its content does not match, again and again), or what else the tracker keeps answering.
  absl::StatusOr<HeldBlobs> Wait(const std::vector<std::string>& digests, const std::function<bool()>& give_up);

 private:
  struct Progress {
    std::string bytes;
    int refusals = 0;
  };

  absl::StatusOr<HeldBlobs> WaitFor(const std::set<std::string>& digests, const std::function<bool()>& give_up);
  void Main();
  // False: the fetcher ends.
  bool TakeNext(std::string* digest, Progress* progress);
  // OK: it is in the cache. UNAVAILABLE: worth another try.
  absl::Status Attempt(const std::string& digest, Progress* progress);
  // Puts it back in its place, last, or lets go of it. True: it is to be tried again.
  bool PutBack(const std::string& digest, const absl::Status& status, Progress progress);

  bool Wanted(const std::string& digest) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Enqueue(const std::string& digest) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ForgetUnwanted() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  BlobDownloader* const downloader_;
  BlobCache* const cache_;
  const absl::Duration retry_wait_;
  common::Mutex mutex_;
  common::CondVar changed_;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::set<std::string> ahead_ ABSL_GUARDED_BY(mutex_);         // the wishes
  std::map<std::string, int> waiting_ ABSL_GUARDED_BY(mutex_);  // how many wait
  std::deque<std::string> queue_ ABSL_GUARDED_BY(mutex_);       // each once
  std::string current_ ABSL_GUARDED_BY(mutex_);                 // taken from the queue
  std::map<std::string, Progress> progress_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, absl::Status> failed_ ABSL_GUARDED_BY(mutex_);  // until somebody waits for it
  std::thread thread_;
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_FLEET_BLOB_FETCHER_H_
