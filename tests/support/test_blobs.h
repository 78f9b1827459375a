// A trial's blobs in memory.
#ifndef TUNEFLEET_TESTS_SUPPORT_TEST_BLOBS_H_
#define TUNEFLEET_TESTS_SUPPORT_TEST_BLOBS_H_

#include <map>
#include <string>

#include "device_server/measure/blob_source.h"

namespace tunefleet::device {

class TestBlobs : public BlobSource {
 public:
  // Gives the digest.
  std::string Put(std::string bytes);
  absl::StatusOr<Blob> Get(absl::string_view digest) const override;
  const std::map<std::string, Blob, std::less<>>& all() const { return blobs_; }

 private:
  std::map<std::string, Blob, std::less<>> blobs_;
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_TESTS_SUPPORT_TEST_BLOBS_H_
