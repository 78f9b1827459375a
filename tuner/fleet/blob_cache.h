// Blobs that a tracker may ask for again, the most recently used ones within a size bound.
#ifndef TUNEFLEET_TUNER_FLEET_BLOB_CACHE_H_
#define TUNEFLEET_TUNER_FLEET_BLOB_CACHE_H_

#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace tunefleet::tuner {

// Not thread-safe.
class BlobCache {
 public:
  explicit BlobCache(size_t capacity_bytes) : capacity_bytes_(capacity_bytes) {}

  // The newest blob is kept whatever its size.
  void Put(const std::string& digest, std::shared_ptr<const std::string> bytes);
  // Null when it is not there (any more). Counts as a use.
  std::shared_ptr<const std::string> Get(const std::string& digest);

 private:
  using Entry = std::pair<std::string, std::shared_ptr<const std::string>>;

  const size_t capacity_bytes_;
  size_t size_bytes_ = 0;
  std::list<Entry> entries_;  // most recently used first
  std::map<std::string, std::list<Entry>::iterator> by_digest_;
};

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_FLEET_BLOB_CACHE_H_
