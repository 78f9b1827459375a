#include "tracker/store/sqlite.h"

#include "absl/strings/str_cat.h"
#include "common/check.h"

namespace tunefleet::tracker {
namespace {

absl::StatusCode CodeOf(int error) {
  switch (error & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::StatusCode::kDataLoss;
    case SQLITE_FULL:
      return absl::StatusCode::kResourceExhausted;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return absl::StatusCode::kPermissionDenied;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::StatusCode::kUnavailable;
    case SQLITE_CONSTRAINT:
      return absl::StatusCode::kFailedPrecondition;
    default:
      return absl::StatusCode::kInternal;
  }
}

}  // namespace

absl::Status SqliteError(sqlite3* handle, absl::string_view what) {
  return absl::Status(CodeOf(sqlite3_extended_errcode(handle)), absl::StrCat(what, ": ", sqlite3_errmsg(handle)));
}

SqliteStatement& SqliteStatement::Bind(int index, int64_t value) {
  TF_CHECK(sqlite3_bind_int64(statement_.get(), index, value) == SQLITE_OK, "bind");
  return *this;
}

SqliteStatement& SqliteStatement::BindText(int index, absl::string_view value) {
  TF_CHECK(sqlite3_bind_text(statement_.get(), index, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT) ==
               SQLITE_OK,
           "bind");
  return *this;
}

SqliteStatement& SqliteStatement::BindBlob(int index, absl::string_view value) {
  // A zero-length blob needs a non-null pointer, or it would be NULL.
  const char* data = value.empty() ? "" : value.data();
  TF_CHECK(
      sqlite3_bind_blob(statement_.get(), index, data, static_cast<int>(value.size()), SQLITE_TRANSIENT) == SQLITE_OK,
      "bind");
  return *this;
}

absl::StatusOr<bool> SqliteStatement::Step() {
  const int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  return SqliteError(sqlite3_db_handle(statement_.get()), sqlite3_sql(statement_.get()));
}

absl::StatusOr<int> SqliteStatement::Run() {
  const absl::StatusOr<bool> row = Step();
  Reset();
  if (!row.ok()) return row.status();
  return sqlite3_changes(sqlite3_db_handle(statement_.get()));
}

void SqliteStatement::Reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

std::string SqliteStatement::Bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), size);
}

absl::StatusOr<Sqlite> Sqlite::Open(const std::string& path) {
  sqlite3* handle = nullptr;
  const int result =
      sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  Sqlite sqlite(handle);
  if (result != SQLITE_OK) return SqliteError(handle, absl::StrCat("cannot open ", path));
  return sqlite;
}

absl::Status Sqlite::Execute(const std::string& sql) {
  if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return absl::OkStatus();
  return SqliteError(handle_.get(), sql);
}

absl::StatusOr<SqliteStatement> Sqlite::Prepare(absl::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr) != SQLITE_OK) {
    return SqliteError(handle_.get(), sql);
  }
  return SqliteStatement(statement);
}

}  // namespace tunefleet::tracker
