// Results on disk until they are acknowledged, so that neither a long outage nor a crash of the agent loses them.
//
//   DIR/lock          held while the journal is open
//   DIR/KEY.result    KEY = SHA-256 of the lease, in hexadecimal
//   result := checksum:32 bytes (SHA-256 of what follows) finished: a serialized v1::Finished
//
// A result is written as KEY.result.new and renamed, so a file is whole or not there. Other files of DIR are others':
// they are left alone. Thread-compatible.
#ifndef TUNEFLEET_DEVICE_SERVER_FLEET_RESULT_JOURNAL_H_
#define TUNEFLEET_DEVICE_SERVER_FLEET_RESULT_JOURNAL_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "device_server/sandbox/unique_fd.h"
#include "proto/fleet.pb.h"

namespace tunefleet::device {

// Equal for equal leases, and a file name.
std::string KeyOf(const v1::Lease& lease);

class ResultJournal {
 public:
  // Makes the directory (0700) where it is not there; one that is there keeps its mode. Errors: FAILED_PRECONDITION (another agent has it open),
  // UNAVAILABLE (the system's words).
  static absl::StatusOr<std::unique_ptr<ResultJournal>> Open(std::string directory);

  // All results that are whole, at most kMostResults. Damaged ones and drafts are removed; what is larger than any
  // result stays where it is.
  static constexpr size_t kMostResults = 256;
  std::vector<v1::Finished> Load();

  // Durable on return. Errors: UNAVAILABLE.
  absl::Status Save(const v1::Finished& finished);
  // What is not there counts as removed.
  void Remove(const std::string& key);

 private:
  ResultJournal(std::string directory, UniqueFd lock) : directory_(std::move(directory)), lock_(std::move(lock)) {}
  std::string PathOf(const std::string& key) const;

  const std::string directory_;
  const UniqueFd lock_;
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_FLEET_RESULT_JOURNAL_H_
