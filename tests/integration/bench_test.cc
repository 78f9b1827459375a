// bench_conv and bench_matmul as a user runs them: what they print for programs, and what they refuse. Their figures
// are for a quiet machine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/integration/processes.h"

namespace tunefleet::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

using Fields = google::protobuf::Map<std::string, google::protobuf::Value>;

// 0 when it is not there, or no number.
double NumberOf(const Fields& fields, const std::string& key) {
  const auto found = fields.find(key);
  return found == fields.end() ? 0 : found->second.number_value();
}

class BenchTest : public ::testing::Test {
 protected:
  std::vector<std::string> Bench(const std::string& program, const std::string& suite,
                                 std::vector<std::string> flags = {}) const {
    std::ofstream(sandbox_.Path("suite.txt")) << suite;
    std::vector<std::string> arguments = {Program(program),
                                          absl::StrCat("--suite=", sandbox_.Path("suite.txt")),
                                          absl::StrCat("--records=", sandbox_.Path("bench.db")),
                                          "--trials=4",
                                          "--rounds=2",
                                          "--json"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    return arguments;
  }

  // Every key that is promised, of a run with the given operators. Names of opponents of the first row.
  static std::vector<std::string> CheckReport(const std::string& out, const std::vector<std::string>& ops) {
    const auto lines = JsonLines(LastLine(out));
    EXPECT_EQ(lines.size(), 1u);
    if (lines.size() != 1) return {};
    const Fields& report = lines[0].fields();
    for (const char* key : {"geomean_vs_best", "min_vs_best", "geomean_vs_default"}) {
      EXPECT_GT(NumberOf(report, key), 0) << key;
    }
    EXPECT_EQ(NumberOf(report, "threads"), 1);
    EXPECT_EQ(NumberOf(report, "rounds"), 2);
    EXPECT_FALSE(report.at("claim").bool_value());
    std::vector<std::string> found, names;
    for (const auto& value : report.at("rows").list_value().values()) {
      const Fields& row = value.struct_value().fields();
      found.push_back(row.at("op").string_value());
      EXPECT_GT(NumberOf(row, "ours_ns"), 0);
      EXPECT_GT(row.at("opponents").list_value().values_size(), 0);
      for (const auto& one : row.at("opponents").list_value().values()) {
        const Fields& opponent = one.struct_value().fields();
        EXPECT_GT(NumberOf(opponent, "ns"), 0);
        EXPECT_FALSE(opponent.at("implementation").string_value().empty());
        EXPECT_TRUE(report.contains(absl::StrCat("geomean_vs_", opponent.at("name").string_value())));
        if (found.size() == 1) names.push_back(opponent.at("name").string_value());
      }
    }
    EXPECT_EQ(found, ops);
    return names;
  }

  void ExpectRefused(const std::vector<std::string>& arguments, const std::string& reason) {
    const Finished run = RunProgram(sandbox_, arguments);
    EXPECT_EQ(run.exit, 2) << absl::StrJoin(arguments, " ") << "\n" << run.err;
    EXPECT_THAT(run.err, HasSubstr(reason));
    EXPECT_THAT(run.out, Not(HasSubstr("trials"))) << "nothing is tuned before";
  }

  Sandbox sandbox_;
};

TEST_F(BenchTest, ConvolutionsAreReported) {
  const Finished run =
      RunProgram(sandbox_, Bench("bench_conv",
                                 "conv2d(h=8,w=8,ci=16,co=16,k=3,\tp=1,layout=NCHW16c)+bias+relu # a tab\n"
                                 "depthwise_conv2d(h=7,w=7,c=24,k=3,p=1,layout=NCHW8c)\n"));
  ASSERT_EQ(run.exit, 0) << run.err;
  const auto opponents =
      CheckReport(run.out, {"conv2d(h=8,w=8,ci=16,co=16,kh=3,kw=3,ph=1,pw=1,layout=NCHW16c)+bias+relu",
                            "depthwise_conv2d(h=7,w=7,c=24,kh=3,kw=3,ph=1,pw=1,layout=NCHW8c)"});
  EXPECT_THAT(opponents, Contains("auto"));
  EXPECT_THAT(opponents, Contains("direct"));
}

TEST_F(BenchTest, ProductsAreReportedAlsoOfASpaceSmallerThanTheTrials) {
  const Finished run =
      RunProgram(sandbox_, Bench("bench_matmul", "matmul(m=1,n=1,k=1)\ndense(m=3,n=17,k=5)\n", {"--trials=64"}));
  if (run.exit == 2 && run.err.find("install-deps.sh") != std::string::npos) {
    GTEST_SKIP() << "an opponent is missing: " << run.err;
  }
  ASSERT_EQ(run.exit, 0) << run.err;
  const auto opponents = CheckReport(run.out, {"matmul(m=1,n=1,k=1)", "dense(m=3,n=17,k=5)"});
  EXPECT_EQ(opponents, (std::vector<std::string>{"onednn", "openblas", "blis"}));
}

TEST_F(BenchTest, WhatCannotBeComparedIsRefusedBeforeAnythingIsTuned) {
  const std::string conv = "conv2d(h=8,w=8,ci=16,co=16,k=3,p=1)\n", matmul = "matmul(m=8,n=8,k=8)\n";
  ExpectRefused(Bench("bench_conv", conv + matmul), "matmul(m=8,n=8,k=8)");
  ExpectRefused(Bench("bench_matmul", matmul + conv), "conv2d(h=8");
  ExpectRefused(Bench("bench_matmul", "matmul(m=8,n=8,k=8)+relu\n"), "epilogue");
  ExpectRefused(Bench("bench_conv", "# nothing\n"), "no operator");
  ExpectRefused(Bench("bench_conv", conv, {"--rounds=0"}), "--rounds");
  ExpectRefused(Bench("bench_conv", conv, {"--rounds=-1"}), "--rounds");
  ExpectRefused(Bench("bench_conv", conv, {"--trials=0"}), "--trials");
  ExpectRefused(Bench("bench_conv", conv, {"--threads=0"}), "--threads");
  ExpectRefused(Bench("bench_conv", conv, {"--threads=100000"}), "--threads");
}

}  // namespace
}  // namespace tunefleet::testing
