// A thin, typed wrapper over SQLite's C API: every result code becomes a Status where it arises. Thread-compatible.
#ifndef TUNEFLEET_TUNER_DATABASE_SQLITE_H_
#define TUNEFLEET_TUNER_DATABASE_SQLITE_H_

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tunefleet::tuner {

// One prepared statement; its connection must outlive it. The first error sticks and is returned by Step.
class SqliteStatement {
 public:
  SqliteStatement(sqlite3* connection, absl::string_view sql);

  // Parameters in order of their appearance ("?").
  SqliteStatement& Bind(int64_t value);
  SqliteStatement& BindText(absl::string_view value);
  SqliteStatement& BindBlob(absl::string_view value);
  SqliteStatement& BindNull();

  // True: there is a row; false: done.
  absl::StatusOr<bool> Step();
  // For statements without rows.
  absl::Status Run();

  // Columns of the row, from 0.
  int64_t Int(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  std::string Bytes(int column) const;
  bool IsNull(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };

  SqliteStatement& Check(int code);

  sqlite3* const connection_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  absl::Status status_;
  int bound_ = 0;
};

// UNAVAILABLE (busy), DATA_LOSS (corrupt, no database), FAILED_PRECONDITION (read-only), ALREADY_EXISTS (constraint),
// NOT_FOUND (cannot open), INTERNAL.
absl::Status SqliteError(sqlite3* connection, int code, absl::string_view what);

class SqliteConnection {
 public:
  // The file must exist. `wait_ms`: how long a call waits for other processes.
  static absl::StatusOr<SqliteConnection> Open(const std::string& path, bool writable, int wait_ms);

  sqlite3* get() const { return connection_.get(); }
  SqliteStatement Prepare(absl::string_view sql) const { return SqliteStatement(connection_.get(), sql); }
  // One or more statements without parameters.
  absl::Status Execute(const char* sql) const;
  // The number that a query such as "PRAGMA user_version" gives.
  absl::StatusOr<int64_t> Number(absl::string_view sql) const;
  // Rows changed by the last statement.
  int Changes() const { return sqlite3_changes(connection_.get()); }

 private:
  struct Close {
    void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
  };
  std::unique_ptr<sqlite3, Close> connection_;
};

// A write transaction; rolled back unless committed.
class SqliteTransaction {
 public:
  static absl::StatusOr<SqliteTransaction> Begin(const SqliteConnection& connection);
  SqliteTransaction(SqliteTransaction&& other) noexcept;
  ~SqliteTransaction();
  absl::Status Commit();

 private:
  explicit SqliteTransaction(const SqliteConnection* connection) : connection_(connection) {}
  const SqliteConnection* connection_;  // null: ended
};

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_DATABASE_SQLITE_H_
