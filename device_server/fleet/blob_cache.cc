#include "device_server/fleet/blob_cache.h"

#include <utility>

namespace tunefleet::device {

Blob BlobCache::Get(absl::string_view digest) {
  const common::MutexLock lock(&mutex_);
  const auto found = index_.find(digest);
  if (found == index_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->blob;
}

void BlobCache::Put(const std::string& digest, std::string bytes) {
  auto blob = std::make_shared<const std::string>(std::move(bytes));
  const common::MutexLock lock(&mutex_);
  if (index_.contains(digest)) return;
  size_bytes_ += blob->size();
  entries_.push_front({digest, std::move(blob)});
  index_[digest] = entries_.begin();
  while (size_bytes_ > bound_bytes_ && entries_.size() > 1) {
    size_bytes_ -= entries_.back().blob->size();
    index_.erase(entries_.back().digest);
    entries_.pop_back();
  }
}

uint64_t BlobCache::size_bytes() const {
  const common::MutexLock lock(&mutex_);
  return size_bytes_;
}

}  // namespace tunefleet::device
