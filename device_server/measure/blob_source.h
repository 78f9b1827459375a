// Where a trial's blobs come from: the code, the references, and fills given as bytes.
#ifndef TUNEFLEET_DEVICE_SERVER_MEASURE_BLOB_SOURCE_H_
#define TUNEFLEET_DEVICE_SERVER_MEASURE_BLOB_SOURCE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tunefleet::device {

using Blob = std::shared_ptr<const std::string>;

class BlobSource {
 public:
  virtual ~BlobSource() = default;
  // Does not block. Errors: NOT_FOUND.
  virtual absl::StatusOr<Blob> Get(absl::string_view digest) const = 0;
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_MEASURE_BLOB_SOURCE_H_
