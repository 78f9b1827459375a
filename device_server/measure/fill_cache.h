// Filled inputs and constants, kept between trials: the trials of one workload read the same bytes, and readers cannot
// change them. Least recently used ones go first when the bound is passed. Not thread-safe.
#ifndef TUNEFLEET_DEVICE_SERVER_MEASURE_FILL_CACHE_H_
#define TUNEFLEET_DEVICE_SERVER_MEASURE_FILL_CACHE_H_

#include <list>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "device_server/measure/blob_source.h"
#include "device_server/measure/buffer_file.h"
#include "proto/measurement.pb.h"

namespace tunefleet::device {

class FillCache {
 public:
  explicit FillCache(uint64_t bound_bytes) : bound_bytes_(bound_bytes) {}

  // The buffer filled as `fill` says, sealed. Errors: INVALID_ARGUMENT (fill and buffer do not match), NOT_FOUND (the
  // blob), RESOURCE_EXHAUSTED.
  absl::StatusOr<std::shared_ptr<BufferFile>> Get(const v1::BufferFill& fill, const v1::BufferSpec& spec,
                                                  BufferLayout layout, const BlobSource& blobs);

  // Whether Get would make nothing.
  bool Holds(const v1::BufferFill& fill, const v1::BufferSpec& spec, BufferLayout layout) const;

  uint64_t size_bytes() const { return size_bytes_; }

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<BufferFile> file;
  };

  void Shrink();

  const uint64_t bound_bytes_;
  uint64_t size_bytes_ = 0;
  std::list<Entry> entries_;  // most recently used first
  absl::flat_hash_map<std::string, std::list<Entry>::iterator> index_;
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_MEASURE_FILL_CACHE_H_
