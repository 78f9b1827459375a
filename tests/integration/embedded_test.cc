// `tunefleet tune` without a fleet: it tunes, it can be stopped in every way, and it leaves nothing behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/integration/ledger.h"
#include "tests/integration/processes.h"

namespace tunefleet::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kOp[] = "--op=conv2d(n=1,h=14,w=14,ci=16,co=32,k=3,s=1,p=1,layout=NCHW16c)";

class EmbeddedTest : public ::testing::Test {
 protected:
  void SetUp() override {
    // What a run leaves behind becomes a child of this process, zombies included.
    ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
  }
  static bool LeftNoProcess() { return waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD; }

  std::vector<std::string> Tune(int trials, const std::string& program = Program("tunefleet")) const {
    return {program, "tune", kOp, absl::StrCat("--trials=", trials), Records(), "--strategy=random", "--json"};
  }
  std::string Records() const { return absl::StrCat("--records=", sandbox_.Path("conv.db")); }
  bool StateIsLeft() const { return std::filesystem::exists(sandbox_.Path("conv.db.tracker")); }

  static const google::protobuf::Struct& FirstResult(const google::protobuf::Struct& report) {
    return report.fields().at("results").list_value().values(0).struct_value();
  }

  // Builds the best kernel, and the example that comes with it.
  void ShipAndRunTheExample(const std::string& library) {
    const Finished build = RunProgram(sandbox_, {Program("tunefleet"), "build", Records(), "-o", library});
    ASSERT_EQ(build.exit, 0) << build.err;
    const Finished compile =
        RunProgram(sandbox_, {"/usr/bin/cc", "-std=c99", "-Wall", "-Werror", sandbox_.Path("conv_example.c"), "-ldl",
                              "-o", sandbox_.Path("example")});
    ASSERT_EQ(compile.exit, 0) << compile.err;
    const Finished example = RunProgram(sandbox_, {sandbox_.Path("example"), library});
    EXPECT_EQ(example.exit, 0) << example.err;
    EXPECT_THAT(example.out, HasSubstr("checksum"));
  }

  Sandbox sandbox_;
};

TEST_F(EmbeddedTest, TunesShowsAndShipsAKernelAndLeavesNothing) {
  const Finished tune = RunProgram(sandbox_, Tune(16));
  ASSERT_EQ(tune.exit, 0) << tune.out << tune.err;
  const auto report = JsonLines(LastLine(tune.out));
  ASSERT_EQ(report.size(), 1u);
  EXPECT_EQ(report[0].fields().at("status").string_value(), "ok");
  EXPECT_EQ(FirstResult(report[0]).fields().at("trials").number_value(), 16);
  EXPECT_GT(FirstResult(report[0]).fields().at("best_gflops").number_value(), 0);
  EXPECT_THAT(tune.out, HasSubstr("16/16"));
  EXPECT_THAT(tune.err, IsEmpty());
  EXPECT_TRUE(LeftNoProcess());
  EXPECT_TRUE(sandbox_.IsCleanSoon());
  EXPECT_FALSE(StateIsLeft());

  // One record per trial, each of another configuration.
  const Finished list = RunProgram(sandbox_, {Program("tunefleet"), "records", "list", Records(), "--json"});
  ASSERT_EQ(list.exit, 0) << list.err;
  std::set<std::string> configs;
  for (const google::protobuf::Struct& record : JsonLines(list.out)) {
    for (const char* field : {"workload", "target", "config", "outcome", "latency_ns", "time"}) {
      EXPECT_EQ(record.fields().count(field), 1u) << field;
    }
    configs.insert(record.fields().at("config").ShortDebugString());
  }
  EXPECT_EQ(configs.size(), 16u);
  EXPECT_EQ(RunProgram(sandbox_, {Program("tunefleet"), "records", Records()}).exit, 0);

  const Finished best = RunProgram(sandbox_, {Program("tunefleet"), "best", Records(), kOp});
  ASSERT_EQ(best.exit, 0) << best.err;
  EXPECT_THAT(best.out, HasSubstr("GFLOP/s"));
  EXPECT_THAT(best.out, HasSubstr("schedule of "));
  EXPECT_THAT(best.out, HasSubstr("run:"));

  const std::string picture = sandbox_.Path("roofline.svg");
  const Finished explained = RunProgram(
      sandbox_, {Program("tunefleet"), "explain", Records(), kOp, "--json", absl::StrCat("--svg=", picture)});
  ASSERT_EQ(explained.exit, 0) << explained.err;
  const google::protobuf::Struct explanation = JsonLines(explained.out)[0];
  const auto& loop = explanation.fields().at("inner_loop").struct_value().fields();
  EXPECT_GT(loop.at("multiply_adds").number_value(), 0);
  EXPECT_GE(loop.at("instructions").number_value(), loop.at("multiply_adds").number_value());
  EXPECT_GT(explanation.fields().at("roofline").struct_value().fields().at("bound_gflops").number_value(), 0);
  EXPECT_GT(std::filesystem::file_size(picture), 1000u);

  const std::string library = sandbox_.Path("conv.so");
  ASSERT_NO_FATAL_FAILURE(ShipAndRunTheExample(library));

  const Finished measure =
      RunProgram(sandbox_, {Program("tunefleet"), "measure", library, absl::StrCat("--against=", library), "--json"});
  ASSERT_EQ(measure.exit, 0) << measure.err;
  const google::protobuf::Struct measured = JsonLines(LastLine(measure.out))[0];
  EXPECT_EQ(measured.fields().at("outcome").string_value(), "OK");
  ASSERT_EQ(measured.fields().at("kernels").list_value().values_size(), 2);
  const auto& second = measured.fields().at("kernels").list_value().values(1).struct_value().fields();
  EXPECT_GT(second.at("latency_ns").number_value(), 0);
  EXPECT_EQ(second.count("verdict"), 1u);

  // The same command again measures nothing; a longer one continues.
  const Finished again = RunProgram(sandbox_, Tune(16));
  ASSERT_EQ(again.exit, 0) << again.err;
  EXPECT_EQ(FirstResult(JsonLines(LastLine(again.out))[0]).fields().at("trials_resumed").number_value(), 16);
  const Finished more = RunProgram(sandbox_, Tune(20));
  ASSERT_EQ(more.exit, 0) << more.err;
  const RecordBooks books = ReadRecords(sandbox_.Path("conv.db"));
  EXPECT_EQ(books.search, 20);
  EXPECT_EQ(books.repeated_schedules, 0);
  EXPECT_TRUE(sandbox_.IsCleanSoon());
}

TEST_F(EmbeddedTest, TheDeviceComputesTheReferenceOfAVeryLargeOperator) {
  const char* const kLarge = "--op=conv2d(n=1,h=14,w=14,ci=16,co=32,k=3,s=1,p=1)+bias+relu";
  const Finished tune = RunProgram(
      sandbox_, {Program("tunefleet"), "tune", kLarge, Records(), "--trials=8", "--host-reference=0", "--json"});
  ASSERT_EQ(tune.exit, 0) << tune.out << tune.err;
  const auto result = FirstResult(JsonLines(LastLine(tune.out))[0]).fields();
  EXPECT_EQ(result.at("failures").struct_value().fields().size(), 0u) << tune.out;
  // A kernel that passed there passes where the host computes the reference.
  const std::string library = sandbox_.Path("large.so");
  ASSERT_EQ(RunProgram(sandbox_, {Program("tunefleet"), "build", Records(), "-o", library}).exit, 0);
  const Finished measure = RunProgram(sandbox_, {Program("tunefleet"), "measure", library});
  EXPECT_EQ(measure.exit, 0) << measure.out << measure.err;
}

TEST_F(EmbeddedTest, TunesAndShipsInt8WithOutputsThatAreEqual) {
  const std::string op = "--op=conv2d(h=9,w=9,ci=12,co=20,k=3,p=1,dtype=int8)+bias+relu";
  std::vector<std::string> command = Tune(8);
  command[2] = op;
  const Finished tune = RunProgram(sandbox_, command);
  ASSERT_EQ(tune.exit, 0) << tune.out << tune.err;
  const Finished list = RunProgram(sandbox_, {Program("tunefleet"), "records", "list", Records(), "--json"});
  ASSERT_EQ(list.exit, 0) << list.err;
  const auto records = JsonLines(list.out);
  EXPECT_GE(records.size(), 8u);
  for (const google::protobuf::Struct& record : records) {
    EXPECT_EQ(record.fields().at("outcome").string_value(), "OK");
    EXPECT_THAT(record.fields().at("workload").string_value(), HasSubstr("dtype=int8"));
  }
  const Finished explained = RunProgram(sandbox_, {Program("tunefleet"), "explain", Records(), op});
  ASSERT_EQ(explained.exit, 0) << explained.err;
  EXPECT_THAT(explained.out, HasSubstr("GOP/s"));

  ASSERT_NO_FATAL_FAILURE(ShipAndRunTheExample(sandbox_.Path("conv.so")));
}

// SIGINT and SIGTERM stop cleanly, SIGKILL does not ask.
class EmbeddedStopTest : public EmbeddedTest, public ::testing::WithParamInterface<int> {};

TEST_P(EmbeddedStopTest, LeavesNoProcessAndNoFileAndResumes) {
  {
    Process tune(sandbox_, "tune", Tune(100000));
    ASSERT_TRUE(tune.PrintsSoon("searching 1")) << tune.Out() << tune.Err();
    EXPECT_FALSE(sandbox_.Processes({tune.pid()}).empty()) << "an agent should run";
    tune.Signal(GetParam());
    EXPECT_EQ(tune.Wait(), GetParam() == SIGKILL ? 128 + SIGKILL : 130) << tune.Err();
    if (GetParam() != SIGKILL) {
      EXPECT_TRUE(LeftNoProcess());
      EXPECT_THAT(tune.Out(), HasSubstr("the same command continues"));
      EXPECT_FALSE(StateIsLeft() && ReadRecords(sandbox_.Path("conv.db")).pending == 0);
    }
  }
  EXPECT_TRUE(sandbox_.IsCleanSoon()) << "left: " << sandbox_.Processes().size() << " processes";
  const int known = ReadRecords(sandbox_.Path("conv.db")).search;
  EXPECT_GT(known, 0);
  const Finished resumed = RunProgram(sandbox_, Tune(known + 10));
  ASSERT_EQ(resumed.exit, 0) << resumed.out << resumed.err;
  const RecordBooks books = ReadRecords(sandbox_.Path("conv.db"));
  EXPECT_EQ(books.search, known + 10);
  EXPECT_EQ(books.repeated_schedules, 0);
  EXPECT_EQ(books.pending, 0);
  EXPECT_TRUE(sandbox_.IsCleanSoon());
  EXPECT_FALSE(StateIsLeft());
}

INSTANTIATE_TEST_SUITE_P(Signals, EmbeddedStopTest, ::testing::Values(SIGINT, SIGTERM, SIGKILL));

TEST_F(EmbeddedTest, SecondTunerOnTheSameRecordsIsRefused) {
  Process first(sandbox_, "first", Tune(100000));
  ASSERT_TRUE(first.PrintsSoon("searching")) << first.Out() << first.Err();
  const Finished second = RunProgram(sandbox_, Tune(100000));
  EXPECT_EQ(second.exit, 2);
  EXPECT_THAT(second.err, HasSubstr("conv.db"));
  first.Signal(SIGTERM);
  EXPECT_EQ(first.Wait(), 130);
}

// Programs find each other side by side, so a folder with another builder makes another tunefleet.
TEST_F(EmbeddedTest, CrashingBuilderCostsOneCandidateEach) {
  std::filesystem::create_directory(sandbox_.Path("bin"));
  std::filesystem::copy_file(Program("tunefleet"), sandbox_.Path("bin/tunefleet"));
  std::filesystem::create_symlink(Program("tunefleet-device"), sandbox_.Path("bin/tunefleet-device"));
  std::filesystem::create_symlink(absl::StrCat(TestFolder(), "/crashing-builder"),
                                  sandbox_.Path("bin/tunefleet-builder"));
  std::vector<std::string> command = Tune(12, sandbox_.Path("bin/tunefleet"));
  command.push_back("--builders=1");
  const Finished tune = RunProgram(sandbox_, command);
  ASSERT_EQ(tune.exit, 0) << tune.out << tune.err;
  const auto failures = FirstResult(JsonLines(LastLine(tune.out))[0]).fields().at("failures").struct_value().fields();
  ASSERT_EQ(failures.count("BUILD_CRASHED"), 1u) << tune.out;
  EXPECT_GE(failures.at("BUILD_CRASHED").number_value(), 2);
  EXPECT_LE(failures.at("BUILD_CRASHED").number_value(), 5);
  EXPECT_TRUE(sandbox_.IsCleanSoon());
}

}  // namespace
}  // namespace tunefleet::testing
