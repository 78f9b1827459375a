#include "tuner/fleet/blob_cache.h"

namespace tunefleet::tuner {

void BlobCache::Put(const std::string& digest, std::shared_ptr<const std::string> bytes) {
  if (Get(digest) != nullptr) return;
  size_bytes_ += bytes->size();
  entries_.emplace_front(digest, std::move(bytes));
  by_digest_[digest] = entries_.begin();
  while (size_bytes_ > capacity_bytes_ && entries_.size() > 1) {
    size_bytes_ -= entries_.back().second->size();
    by_digest_.erase(entries_.back().first);
    entries_.pop_back();
  }
}

std::shared_ptr<const std::string> BlobCache::Get(const std::string& digest) {
  const auto found = by_digest_.find(digest);
  if (found == by_digest_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->second;
}

}  // namespace tunefleet::tuner
