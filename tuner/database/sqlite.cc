#include "tuner/database/sqlite.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace tunefleet::tuner {

absl::Status SqliteError(sqlite3* connection, int code, absl::string_view what) {
  const std::string message =
      absl::StrCat(what, ": ", connection == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(connection));
  switch (code & 0xff) {  // the primary code of an extended one
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(message);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(message);
    case SQLITE_READONLY:
      return absl::FailedPreconditionError(message);
    case SQLITE_CONSTRAINT:
      return absl::AlreadyExistsError(message);
    case SQLITE_CANTOPEN:
      return absl::NotFoundError(message);
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return absl::PermissionDeniedError(message);
    default:
      return absl::InternalError(message);
  }
}

SqliteStatement::SqliteStatement(sqlite3* connection, absl::string_view sql) : connection_(connection) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(connection, sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  statement_.reset(statement);
  if (code != SQLITE_OK) status_ = SqliteError(connection, code, "prepare statement");
}

SqliteStatement& SqliteStatement::Check(int code) {
  if (status_.ok() && code != SQLITE_OK) status_ = SqliteError(connection_, code, "bind parameter");
  return *this;
}

SqliteStatement& SqliteStatement::Bind(int64_t value) {
  return Check(sqlite3_bind_int64(statement_.get(), ++bound_, value));
}

SqliteStatement& SqliteStatement::BindText(absl::string_view value) {
  return Check(sqlite3_bind_text64(statement_.get(), ++bound_, value.empty() ? "" : value.data(), value.size(),
                                   SQLITE_TRANSIENT, SQLITE_UTF8));
}

SqliteStatement& SqliteStatement::BindBlob(absl::string_view value) {
  return Check(sqlite3_bind_blob64(statement_.get(), ++bound_, value.empty() ? "" : value.data(), value.size(),
                                   SQLITE_TRANSIENT));
}

SqliteStatement& SqliteStatement::BindNull() { return Check(sqlite3_bind_null(statement_.get(), ++bound_)); }

absl::StatusOr<bool> SqliteStatement::Step() {
  TF_RETURN_IF_ERROR(status_);
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  status_ = SqliteError(connection_, code, "run statement");
  return status_;
}

absl::Status SqliteStatement::Run() { return Step().status(); }

std::string SqliteStatement::Bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  return data == nullptr ? std::string()
                         : std::string(static_cast<const char*>(data), sqlite3_column_bytes(statement_.get(), column));
}

absl::StatusOr<SqliteConnection> SqliteConnection::Open(const std::string& path, bool writable, int wait_ms) {
  SqliteConnection result;
  sqlite3* connection = nullptr;
  // Also readers open for writing: reading a WAL database updates its index file.
  const int code = sqlite3_open_v2(path.c_str(), &connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  result.connection_.reset(connection);
  if (code != SQLITE_OK) return SqliteError(connection, code, absl::StrCat("open ", path));
  sqlite3_busy_timeout(connection, wait_ms);
  if (!writable) TF_RETURN_IF_ERROR(result.Execute("PRAGMA query_only = ON"));
  return result;
}

absl::Status SqliteConnection::Execute(const char* sql) const {
  const int code = sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : SqliteError(connection_.get(), code, "run statement");
}

absl::StatusOr<int64_t> SqliteConnection::Number(absl::string_view sql) const {
  SqliteStatement statement = Prepare(sql);
  TF_ASSIGN_OR_RETURN(const bool row, statement.Step());
  return row ? statement.Int(0) : 0;
}

absl::StatusOr<SqliteTransaction> SqliteTransaction::Begin(const SqliteConnection& connection) {
  TF_RETURN_IF_ERROR(connection.Execute("BEGIN IMMEDIATE"));
  return SqliteTransaction(&connection);
}

SqliteTransaction::SqliteTransaction(SqliteTransaction&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)) {}

SqliteTransaction::~SqliteTransaction() {
  if (connection_ != nullptr) connection_->Execute("ROLLBACK").IgnoreError();
}

absl::Status SqliteTransaction::Commit() {
  TF_RETURN_IF_ERROR(connection_->Execute("COMMIT"));
  connection_ = nullptr;
  return absl::OkStatus();
}

}  // namespace tunefleet::tuner
