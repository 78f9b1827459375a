// Content-addressed blobs in a directory: DIR/xx/HEX of complete ones, DIR/partial/HEX of uploads under way.
//
//  - A complete file is whole and right: it was verified and synced before it got its name. Nothing else is trusted
//  after
//    a crash.
//  - An upload keeps what has arrived, so that it resumes after a broken connection or a restart. The newest writer of
//  a
//    blob is the only one: it takes over from an older one, whose next Write fails with ABORTED.
//  - The bytes of all files stay under the limit: the least recently used unpinned blob is evicted first, then the
//  oldest
//    upload that nobody writes. A pinned blob is never evicted.
// Thread-safe; no I/O under its lock.
#ifndef TUNEFLEET_TRACKER_BLOBS_BLOB_STORE_H_
#define TUNEFLEET_TRACKER_BLOBS_BLOB_STORE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/mutex.h"

namespace tunefleet::tracker {

inline constexpr uint64_t kMaxBlobBytes = uint64_t{1} << 30;
inline constexpr size_t kMaxBlobChunkBytes = size_t{1} << 20;

class BlobStore;

// An upload. Not thread-safe. What was written stays when it is destroyed unfinished.
class BlobWriter {
 public:
  ~BlobWriter();
  BlobWriter(const BlobWriter&) = delete;
  BlobWriter& operator=(const BlobWriter&) = delete;

  // Bytes held so far: the offset of the next Write. The total, where the blob is complete already.
  uint64_t size_bytes() const { return size_bytes_; }
  // The blob was there already: there is nothing to write.
  bool complete() const { return fd_ < 0; }

  // Errors: INVALID_ARGUMENT for data past the total, ABORTED when a newer writer took over, RESOURCE_EXHAUSTED when
  // the disk is full.
  absl::Status Write(absl::string_view data);
  // Call when all of it is there: verifies, syncs and publishes the blob. Errors: DATA_LOSS when the content does not
  // match the digest (what was uploaded is thrown away); those of Write.
  absl::Status Finish();

 private:
  friend class BlobStore;
  BlobWriter(BlobStore* store, std::string digest, uint64_t total_bytes, uint64_t serial, int fd, uint64_t size_bytes)
      : store_(store),
        digest_(std::move(digest)),
        total_bytes_(total_bytes),
        serial_(serial),
        fd_(fd),
        size_bytes_(size_bytes) {}

  BlobStore* const store_;
  const std::string digest_;
  const uint64_t total_bytes_;
  const uint64_t serial_;
  const int fd_;  // -1: the blob was complete already
  uint64_t size_bytes_;
};

// A complete blob opened for reading: stays readable when it is evicted. Thread-safe.
class BlobReader {
 public:
  BlobReader(int fd, uint64_t size_bytes) : fd_(fd), size_bytes_(size_bytes) {}
  ~BlobReader();
  BlobReader(const BlobReader&) = delete;
  BlobReader& operator=(const BlobReader&) = delete;

  uint64_t size_bytes() const { return size_bytes_; }
  // Up to `most` bytes from `offset`; empty at the end.
  absl::StatusOr<std::string> Read(uint64_t offset, size_t most) const;

 private:
  const int fd_;
  const uint64_t size_bytes_;
};

// Digests are 32 raw bytes everywhere: callers validate.
class BlobStore {
 public:
  struct BlobStatus {
    bool complete = false;
    uint64_t size_bytes = 0;  // held so far
  };

  // Makes the directory where it is not there and takes stock of what it holds.
  static absl::StatusOr<std::unique_ptr<BlobStore>> Open(const std::string& directory, uint64_t max_bytes);
  BlobStore(const BlobStore&) = delete;
  BlobStore& operator=(const BlobStore&) = delete;

  BlobStatus Status(const std::string& digest);

  // Resumes an upload of `total_bytes` at the bytes held so far, or starts it over at 0. Errors: INVALID_ARGUMENT for
  // another offset or a total that is 0 or over kMaxBlobBytes; RESOURCE_EXHAUSTED when the store cannot make room.
  absl::StatusOr<std::unique_ptr<BlobWriter>> Write(const std::string& digest, uint64_t total_bytes, uint64_t offset);
  // Errors: NOT_FOUND.
  absl::StatusOr<std::unique_ptr<BlobReader>> Read(const std::string& digest);

  // Pins every one of them once, or none where some are missing; gives the missing ones. Pins do not outlive the store.
  std::vector<std::string> Pin(std::span<const std::string> digests);
  // Undoes one pin of each that is there.
  void Unpin(std::span<const std::string> digests);

 private:
  friend class BlobWriter;
  struct Entry {
    bool complete = false;
    uint64_t size_bytes = 0;  // counted against the limit: of the file, or what an upload has reserved
    uint64_t held_bytes = 0;  // what has arrived
    uint64_t used = 0;        // rises with every use
    int pins = 0;
    uint64_t writer = 0;   // serial of the upload's writer; 0: nobody writes
    bool busy = false;     // its file is being written, published or deleted: others wait
    bool evicted = false;  // about to go: not there any more
  };

  BlobStore(std::string directory, uint64_t max_bytes) : directory_(std::move(directory)), max_bytes_(max_bytes) {}
  absl::Status TakeStock();
  std::string Path(absl::string_view digest, bool complete) const;

  // Makes room for the upload: gives the digests to delete, now busy.
  absl::StatusOr<std::vector<std::string>> MakeRoom(uint64_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Delete(const std::vector<std::string>& victims);
  // The entry of the digest when no one else works on its file; null when there is none.
  Entry* WaitFor(const std::string& digest) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Of BlobWriter: BeginWork makes the upload busy. Errors: ABORTED when the serial is not the newest.
  absl::Status BeginWork(const std::string& digest, uint64_t serial);
  void EndWork(const std::string& digest, uint64_t held_bytes);
  absl::Status Publish(const std::string& digest, uint64_t total_bytes, int fd);
  void Release(const std::string& digest, uint64_t serial);

  const std::string directory_;
  const uint64_t max_bytes_;
  common::Mutex mutex_;
  common::CondVar idle_;  // an entry is no longer busy
  std::map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  uint64_t total_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t serial_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TRACKER_BLOBS_BLOB_STORE_H_
