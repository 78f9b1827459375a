#include "tuner/commands/task_selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/support/temp_dir.h"
#include "tuner/database/sqlite_database.h"

namespace tunefleet::tuner {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class SelectTasksTest : public ::testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<Database>> database =
        OpenSqliteDatabase(folder_ / "records.db", DatabaseAccess::kTune);
    ASSERT_TRUE(database.ok()) << database.status();
    database_ = *std::move(database);
  }

  void Tuned(const std::string& op, const std::string& cpu, v1::CacheMode cache_mode = v1::CACHE_MODE_WARM) {
    TaskIdentity task;
    task.cache_mode = cache_mode;
    task.workload = codegen::ParseOperator(op).value();
    task.workload_key = codegen::WorkloadKey(task.workload);
    task.target.set_triple("x86_64-linux-gnu");
    task.target.set_cpu(cpu);
    task.device_class = "desk";
    ASSERT_TRUE(database_->OpenJob(task).ok());
  }

  std::string Error(const TaskFlags& flags) {
    return std::string(SelectTasks(*database_, flags, "conv.db").status().message());
  }

  TempDir folder_;
  std::unique_ptr<Database> database_;
};

TEST_F(SelectTasksTest, TargetChoosesAmongThoseOfOneDeviceClass) {
  Tuned("matmul(m=8,n=8,k=8)", "znver3");
  Tuned("matmul(m=8,n=8,k=8)", "znver5");
  TaskFlags flags;
  flags.op = "matmul(m=8,n=8,k=8)";
  EXPECT_EQ(SelectTasks(*database_, flags, "conv.db")->size(), 2);
  flags.target = "x86_64-linux-gnu -mcpu=znver5";
  const auto selected = SelectTasks(*database_, flags, "conv.db");
  ASSERT_TRUE(selected.ok()) << selected.status();
  ASSERT_EQ(selected->size(), 1);
  EXPECT_EQ(selected->front().task.target.cpu(), "znver5");
}

TEST_F(SelectTasksTest, WhatWasTunedOnOtherCachesIsAnotherTask) {
  Tuned("matmul(m=8,n=8,k=8)", "znver5");
  Tuned("matmul(m=8,n=8,k=8)", "znver5", v1::CACHE_MODE_ROTATING);
  TaskFlags flags;
  EXPECT_EQ(SelectTasks(*database_, flags, "conv.db")->size(), 2);
  flags.cache = "rotating";
  const auto selected = SelectTasks(*database_, flags, "conv.db");
  ASSERT_TRUE(selected.ok()) << selected.status();
  ASSERT_EQ(selected->size(), 1);
  EXPECT_EQ(selected->front().task.cache_mode, v1::CACHE_MODE_ROTATING);
  flags.cache = "cold";
  EXPECT_THAT(Error(flags), HasSubstr("1 thread, rotating caches"));
}

TEST_F(SelectTasksTest, ErrorSaysWhatThereIs) {
  EXPECT_THAT(Error({}), HasSubstr("tunefleet tune --records=conv.db"));
  Tuned("matmul(m=1024,n=1024,k=1024)", "znver5");
  TaskFlags flags;
  flags.workload = "matmul.512";
  EXPECT_THAT(Error(flags), HasSubstr("matmul.1024 for desk (x86_64-linux-gnu -mcpu=znver5, 1 thread)"));
}

TEST_F(SelectTasksTest, ErrorStaysShortForManyTasks) {
  for (int m = 1; m <= 20; ++m) Tuned(absl::StrCat("matmul(m=", m, ",n=8,k=8)"), "znver5");
  TaskFlags flags;
  flags.device_class = "phone";
  EXPECT_THAT(Error(flags), AllOf(HasSubstr(", 4 more"), Not(HasSubstr("m=20,"))));
}

}  // namespace
}  // namespace tunefleet::tuner
