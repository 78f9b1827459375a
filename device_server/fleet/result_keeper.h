// Decides which results belong on disk: those that wait for their acknowledgement for longer than `patience`. Told the
// results that wait, it saves and removes. Takes the time as an argument. Not thread-safe.
#ifndef TUNEFLEET_DEVICE_SERVER_FLEET_RESULT_KEEPER_H_
#define TUNEFLEET_DEVICE_SERVER_FLEET_RESULT_KEEPER_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "device_server/fleet/result_journal.h"
#include "proto/fleet.pb.h"

namespace tunefleet::device {

class ResultKeeper {
 public:
  // `journal` null: nothing is kept.
  ResultKeeper(std::unique_ptr<ResultJournal> journal, absl::Duration patience)
      : journal_(std::move(journal)), patience_(patience) {}

  // What earlier runs left.
  std::vector<v1::Finished> Load();

  // `waiting` are all results without acknowledgement. Returns how many of them are not on disk although they should
  // be: a failure is logged, and tried again the next time.
  size_t Update(const std::vector<v1::Finished>& waiting, absl::Time now);

  // Brings all of them to disk, however long they wait. Returns how many are not.
  size_t SaveAll(const std::vector<v1::Finished>& waiting);

 private:
  struct Entry {
    absl::Time since;
    bool saved = false;
  };
  bool Save(const v1::Finished& finished, Entry* entry);

  const std::unique_ptr<ResultJournal> journal_;
  const absl::Duration patience_;
  std::map<std::string, Entry> entries_;  // by KeyOf
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_FLEET_RESULT_KEEPER_H_
