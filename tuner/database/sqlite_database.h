// The record database in one SQLite file (WAL; records are synced before a call returns).
//
// One process tunes into a file at a time, held by flock on the file itself, so that a killed process frees it and
// nothing lies about; any number of processes read meanwhile. A file that is damaged, something else, or written by a
// newer version is refused and left as it is.
#ifndef TUNEFLEET_TUNER_DATABASE_SQLITE_DATABASE_H_
#define TUNEFLEET_TUNER_DATABASE_SQLITE_DATABASE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "tuner/database/database.h"

namespace tunefleet::tuner {

enum class DatabaseAccess {
  kRead,  // the file must exist; writing calls fail with FAILED_PRECONDITION
  kTune,  // created when missing; exclusive among tuners. Open a file at most once this way in a process
};

// Errors: NOT_FOUND (kRead of a missing file, or a missing folder), DATA_LOSS (damaged, or not a database),
// FAILED_PRECONDITION (a database of something else, or of a newer version; another process is tuning into it),
// PERMISSION_DENIED.
absl::StatusOr<std::unique_ptr<Database>> OpenSqliteDatabase(const std::string& path, DatabaseAccess access);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_DATABASE_SQLITE_DATABASE_H_
