#include "tests/support/test_blobs.h"

#include <memory>
#include <utility>

#include "common/digest.h"

namespace tunefleet::device {

std::string TestBlobs::Put(std::string bytes) {
  std::string digest = common::Sha256(bytes);
  blobs_[digest] = std::make_shared<const std::string>(std::move(bytes));
  return digest;
}

absl::StatusOr<Blob> TestBlobs::Get(absl::string_view digest) const {
  const auto found = blobs_.find(digest);
  if (found == blobs_.end()) return absl::NotFoundError("no such blob");
  return found->second;
}

}  // namespace tunefleet::device
