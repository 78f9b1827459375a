#include "tests/integration/ledger.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"

namespace tunefleet::testing {
namespace {

class Reader {
 public:
  explicit Reader(const std::string& path) {
    EXPECT_EQ(sqlite3_open_v2(path.c_str(), &database_, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK) << path;
    sqlite3_busy_timeout(database_, 10000);
  }
  ~Reader() { sqlite3_close(database_); }

  void Each(const char* sql, const std::function<void(sqlite3_stmt*)>& row) {
    sqlite3_stmt* statement = nullptr;
    ASSERT_EQ(sqlite3_prepare_v2(database_, sql, -1, &statement, nullptr), SQLITE_OK) << sqlite3_errmsg(database_);
    int code = 0;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) row(statement);
    EXPECT_EQ(code, SQLITE_DONE) << sqlite3_errmsg(database_);
    sqlite3_finalize(statement);
  }
  int Number(const char* sql) {
    int number = 0;
    Each(sql, [&](sqlite3_stmt* row) { number = sqlite3_column_int(row, 0); });
    return number;
  }
  std::set<std::string> Texts(const char* sql) {
    std::set<std::string> texts;
    Each(sql, [&](sqlite3_stmt* row) { texts.insert(reinterpret_cast<const char*>(sqlite3_column_text(row, 0))); });
    return texts;
  }

 private:
  sqlite3* database_ = nullptr;
};

}  // namespace

TrackerBooks ReadTracker(const std::string& state_folder) {
  Reader reader(absl::StrCat(state_folder, "/tracker.db"));
  TrackerBooks books;
  books.accepted = reader.Texts("SELECT trial_id FROM trials");
  books.unfinished = reader.Number("SELECT count(*) FROM trials WHERE trial IS NOT NULL");
  books.results = reader.Number("SELECT sum(last_cursor) FROM jobs");
  books.acknowledged = reader.Number("SELECT sum(acknowledged) FROM jobs");
  return books;
}

RecordBooks ReadRecords(const std::string& path) {
  Reader reader(path);
  RecordBooks books;
  books.recorded = reader.Texts("SELECT job_id || '.' || number FROM records");
  books.rows = reader.Number("SELECT count(*) FROM records");
  books.search = reader.Number("SELECT count(*) FROM records WHERE stage = 0");
  books.repeated_schedules =
      reader.Number("SELECT count(*) - count(DISTINCT hex(task) || hex(schedule)) FROM records WHERE stage = 0");
  books.pending = reader.Number("SELECT count(*) FROM pending");
  return books;
}

int Lost(const TrackerBooks& tracker, const RecordBooks& records) {
  return static_cast<int>(std::count_if(tracker.accepted.begin(), tracker.accepted.end(),
                                        [&](const std::string& id) { return records.recorded.count(id) == 0; }));
}

int Double(const TrackerBooks& tracker, const RecordBooks& records) {
  const int finished = static_cast<int>(tracker.accepted.size()) - tracker.unfinished;
  return std::max(0, tracker.results - finished) + (records.rows - static_cast<int>(records.recorded.size())) +
         records.repeated_schedules;
}

}  // namespace tunefleet::testing
