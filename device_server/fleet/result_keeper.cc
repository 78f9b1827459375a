#include "device_server/fleet/result_keeper.h"

#include <spdlog/spdlog.h>

#include <set>

namespace tunefleet::device {

std::vector<v1::Finished> ResultKeeper::Load() {
  if (journal_ == nullptr) return {};
  std::vector<v1::Finished> results = journal_->Load();
  for (const v1::Finished& finished : results) {
    entries_[KeyOf(finished.lease())] = {.since = absl::InfinitePast(), .saved = true};
  }
  return results;
}

bool ResultKeeper::Save(const v1::Finished& finished, Entry* entry) {
  if (entry->saved) return true;
  if (journal_ == nullptr) return false;
  const absl::Status status = journal_->Save(finished);
  if (!status.ok()) spdlog::warn("a result is not on disk: {}", std::string(status.message()));
  entry->saved = status.ok();
  return entry->saved;
}

size_t ResultKeeper::Update(const std::vector<v1::Finished>& waiting, absl::Time now) {
  std::set<std::string> keys;
  size_t failed = 0;
  for (const v1::Finished& finished : waiting) {
    const std::string key = KeyOf(finished.lease());
    keys.insert(key);
    Entry& entry = entries_.try_emplace(key, Entry{.since = now}).first->second;
    if (now - entry.since >= patience_ && !Save(finished, &entry)) ++failed;
  }
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    if (keys.contains(entry->first)) {
      ++entry;
      continue;
    }
    if (entry->second.saved) journal_->Remove(entry->first);
    entry = entries_.erase(entry);
  }
  return failed;
}

size_t ResultKeeper::SaveAll(const std::vector<v1::Finished>& waiting) {
  size_t failed = 0;
  for (const v1::Finished& finished : waiting) {
    if (!Save(finished, &entries_[KeyOf(finished.lease())])) ++failed;
  }
  return failed;
}

}  // namespace tunefleet::device
