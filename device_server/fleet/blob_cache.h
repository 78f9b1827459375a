// Blobs by digest, in memory, least recently used first out when the bound is passed. A Blob that somebody holds stays
// alive after it left the cache. Thread-safe.
#ifndef TUNEFLEET_DEVICE_SERVER_FLEET_BLOB_CACHE_H_
#define TUNEFLEET_DEVICE_SERVER_FLEET_BLOB_CACHE_H_

#include <list>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "common/mutex.h"
#include "device_server/measure/blob_source.h"

namespace tunefleet::device {

class BlobCache {
 public:
  explicit BlobCache(uint64_t bound_bytes) : bound_bytes_(bound_bytes) {}

  // Null when it is not there.
  Blob Get(absl::string_view digest);
  void Put(const std::string& digest, std::string bytes);
  uint64_t size_bytes() const;

 private:
  struct Entry {
    std::string digest;
    Blob blob;
  };

  const uint64_t bound_bytes_;
  mutable common::Mutex mutex_;
  uint64_t size_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::list<Entry> entries_ ABSL_GUARDED_BY(mutex_);  // most recently used first
  absl::flat_hash_map<std::string, std::list<Entry>::iterator> index_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_FLEET_BLOB_CACHE_H_
