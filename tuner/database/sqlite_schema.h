// The tables of a record database, and the proof that a file is one.
#ifndef TUNEFLEET_TUNER_DATABASE_SQLITE_SCHEMA_H_
#define TUNEFLEET_TUNER_DATABASE_SQLITE_SCHEMA_H_

#include "absl/status/status.h"
#include "tuner/database/sqlite.h"

namespace tunefleet::tuner {

// Refuses what is not ours before anything is written; makes the tables in an empty file, and those of an older version
// anew, when `create`. Errors: FAILED_PRECONDITION (empty, of another program or of a newer version), DATA_LOSS
// (damaged, or not a database).
absl::Status CheckOrCreateSchema(const SqliteConnection& connection, bool create);

// Reads the whole file. Errors: DATA_LOSS.
absl::Status CheckIntegrity(const SqliteConnection& connection);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_DATABASE_SQLITE_SCHEMA_H_
