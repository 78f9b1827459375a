// A thin layer over SQLite's C API: statuses for errors, prepared statements kept and reset. Not thread-safe.
#ifndef TUNEFLEET_TRACKER_STORE_SQLITE_H_
#define TUNEFLEET_TRACKER_STORE_SQLITE_H_

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tunefleet::tracker {

// A prepared statement. Bind all, then Step until it says false; a new first Bind or Step needs a Reset before.
class SqliteStatement {
 public:
  explicit SqliteStatement(sqlite3_stmt* statement) : statement_(statement, &sqlite3_finalize) {}

  // `index` counts from 1.
  SqliteStatement& Bind(int index, int64_t value);
  SqliteStatement& BindText(int index, absl::string_view value);
  SqliteStatement& BindBlob(int index, absl::string_view value);

  // True: there is a row. False: done.
  absl::StatusOr<bool> Step();
  // For statements without rows: Step once, then Reset. Gives the number of rows changed.
  absl::StatusOr<int> Run();
  void Reset();

  // Columns of the current row, counted from 0.
  int64_t Int(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  bool IsNull(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }
  std::string Bytes(int column) const;

 private:
  std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement_;
};

class Sqlite {
 public:
  static absl::StatusOr<Sqlite> Open(const std::string& path);

  absl::Status Execute(const std::string& sql);
  absl::StatusOr<SqliteStatement> Prepare(absl::string_view sql);

 private:
  explicit Sqlite(sqlite3* handle) : handle_(handle, &sqlite3_close) {}
  std::unique_ptr<sqlite3, int (*)(sqlite3*)> handle_;
};

// Corruption is DATA_LOSS, a full disk RESOURCE_EXHAUSTED, a read-only file PERMISSION_DENIED, another user of the file
// UNAVAILABLE, a violated constraint FAILED_PRECONDITION, the rest INTERNAL.
absl::Status SqliteError(sqlite3* handle, absl::string_view what);

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TRACKER_STORE_SQLITE_H_
