// What a comparison is told and what it says, apart from times: which record is taken, and what the last line holds.
#include <gmock/gmock.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "codegen/operators/workload.h"
#include "device_server/describe/machine.h"
#include "tests/bench/report.h"
#include "tests/bench/tuned_kernel.h"
#include "tests/support/temp_dir.h"
#include "tuner/database/sqlite_database.h"

namespace tunefleet::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class BestRecordTest : public ::testing::Test {
 protected:
  void SetUp() override {
    workload_ = codegen::ParseOperator("matmul(m=8,n=8,k=8)").value();
    here_.set_triple("x86_64-linux-gnu");
    here_.set_cpu("znver3");
    here_.add_features("avx2");
    here_.set_threads(1);
    database_ = tuner::OpenSqliteDatabase(folder_ / "records.db", tuner::DatabaseAccess::kTune).value();
  }

  // `trials` of them, the last one the fastest.
  void Record(const v1::Target& target, const std::string& device_class, int trials, uint64_t latency_ns) {
    const tuner::Job job =
        database_->OpenJob({codegen::WorkloadKey(workload_), workload_, target, device_class}).value();
    for (int number = 1; number <= trials; ++number) {
      v1::TuningRecord record;
      record.set_job_id(job.job_id);
      record.set_trial_id(tuner::TrialId(job.job_id, number));
      record.mutable_result()->set_trial_id(record.trial_id());
      record.mutable_result()->set_outcome(v1::OUTCOME_OK);
      record.mutable_result()->add_kernels()->set_latency_ns(latency_ns + trials - number);
      tuner::PendingTrial pending{.number = static_cast<uint64_t>(number)};
      pending.kernels.emplace_back();
      ASSERT_TRUE(database_->AddPending(job.job_id, pending).ok());
      ASSERT_TRUE(database_->Append(record, tuner::TrialStage::kSearch, 0).ok());
    }
  }

  std::optional<uint64_t> BestNs(int64_t trials) {
    const auto best = BestRecord(*database_, workload_, here_, trials);
    EXPECT_TRUE(best.ok()) << best.status();
    if (!best.ok() || !best->has_value()) return std::nullopt;
    return (*best)->result().kernels(0).latency_ns();
  }

  TempDir folder_;
  v1::Workload workload_;
  v1::Target here_;
  std::unique_ptr<tuner::Database> database_;
};

TEST_F(BestRecordTest, IsOfAMachineLikeThisOne) {
  v1::Target wide = here_;
  wide.add_features("avx512f");
  Record(wide, "rig", 4, 100);
  EXPECT_EQ(BestNs(1), std::nullopt) << "its kernel has instructions that are not here";
  v1::Target two = here_;
  two.set_threads(2);
  Record(two, "desk", 4, 150);
  EXPECT_EQ(BestNs(1), std::nullopt);
  Record(here_, "desk", 3, 200);
  EXPECT_EQ(BestNs(1), 200);
  here_.set_model("what people call it");
  EXPECT_EQ(BestNs(1), 200) << "the model is for people";
}

TEST_F(BestRecordTest, ComesFromAsManyTrialsAsAskedForAndOfSeveralTasksTheLongest) {
  EXPECT_EQ(BestNs(0), std::nullopt);
  Record(here_, "desk", 3, 200);
  EXPECT_EQ(BestNs(4), std::nullopt);
  EXPECT_EQ(BestNs(0), 200) << "all that a small space holds";
  Record(here_, "board", 5, 300);
  EXPECT_EQ(BestNs(0), 300);
}

Report TwoRows() {
  Report report{.default_label = "auto", .threads = 2, .rounds = 40, .rows = {}};
  report.rows.push_back({.name = "a\tb",
                         .op = "matmul(m=1)",
                         .ours_ns = 100,
                         .opponents = {{"auto", "jit:\"x\"", 400}, {"slow", "y", 900}}});
  report.rows.push_back({.name = "c", .op = "matmul(m=2)", .ours_ns = 100, .opponents = {{"auto", "z", 100}}});
  return report;
}

TEST(ReportTest, JsonHoldsRatiosOfTheOpponentsTimeOverOurs) {
  google::protobuf::Struct json;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(ToJson(TwoRows()), &json).ok()) << ToJson(TwoRows());
  const auto& fields = json.fields();
  EXPECT_DOUBLE_EQ(fields.at("geomean_vs_best").number_value(), 2);
  EXPECT_DOUBLE_EQ(fields.at("min_vs_best").number_value(), 1);
  EXPECT_DOUBLE_EQ(fields.at("geomean_vs_default").number_value(), 2);
  EXPECT_DOUBLE_EQ(fields.at("geomean_vs_slow").number_value(), 9) << "of the rows that have it";
  EXPECT_EQ(fields.at("threads").number_value(), 2);
  EXPECT_TRUE(fields.at("claim").bool_value());
  const auto& row = fields.at("rows").list_value().values(0).struct_value().fields();
  EXPECT_EQ(row.at("op").string_value(), "matmul(m=1)");
  EXPECT_EQ(row.at("ours_ns").number_value(), 100);
  const auto& opponent = row.at("opponents").list_value().values(0).struct_value().fields();
  EXPECT_EQ(opponent.at("name").string_value(), "auto");
  EXPECT_EQ(opponent.at("ns").number_value(), 400);
  EXPECT_EQ(opponent.at("implementation").string_value(), "jit:\"x\"");
}

TEST(ReportTest, FewRoundsAreNoClaim) {
  Report report = TwoRows();
  EXPECT_THAT(SummaryText(report), Not(HasSubstr("no claim")));
  report.rounds = 29;
  EXPECT_THAT(SummaryText(report), HasSubstr("no claim"));
  EXPECT_THAT(ToJson(report), HasSubstr("\"claim\":false"));
}

}  // namespace
}  // namespace tunefleet::bench
