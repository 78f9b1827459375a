#include "tuner/commands/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tunefleet::tuner {
namespace {

using ::testing::HasSubstr;

class FlagSetTest : public ::testing::Test {
 protected:
  FlagSetTest() : set_("tune", "Head.", "  example\n") {
    set_.Text("records", "FILE", "the database", &records_);
    set_.Text("o", "FILE", "output", &output_);
    set_.Integer("trials", "how many", 1, 100, &trials_);
    set_.Choice("strategy", {"autotvm", "random"}, "how", &strategy_);
    set_.Switch("json", "for machines", &json_);
  }

  std::string Error(const std::vector<std::string>& arguments) { return std::string(set_.Parse(arguments).message()); }

  std::string records_ = "tunefleet.db", output_, strategy_ = "autotvm";
  int64_t trials_ = 10;
  bool json_ = false;
  FlagSet set_;
};

TEST_F(FlagSetTest, ReadsEverySpelling) {
  ASSERT_TRUE(set_.Parse({"--records=a=b.db", "-o", "x.so", "--trials", "7", "--strategy=random", "--json"}).ok());
  EXPECT_EQ(records_, "a=b.db");
  EXPECT_EQ(output_, "x.so");
  EXPECT_EQ(trials_, 7);
  EXPECT_EQ(strategy_, "random");
  EXPECT_TRUE(json_);
  ASSERT_TRUE(set_.Parse({"--no-json", "--trials=8", "--trials=9"}).ok());
  EXPECT_FALSE(json_);
  EXPECT_EQ(trials_, 9);
}

TEST_F(FlagSetTest, MistypedFlagIsAnsweredWithTheClosest) {
  EXPECT_EQ(Error({"--trails=5"}), "tune: unknown flag --trails=5; did you mean --trials?");
  EXPECT_THAT(Error({"--record", "x"}), HasSubstr("did you mean --records?"));
  EXPECT_THAT(Error({"--qqqqqqqqqq=1"}), HasSubstr("'tunefleet tune --help' lists the flags"));
}

TEST_F(FlagSetTest, WrongValueIsAnsweredWithWhatIsExpected) {
  EXPECT_THAT(Error({"--trials=0"}), HasSubstr("--trials='0': expected an integer from 1 to 100"));
  EXPECT_THAT(Error({"--trials=ten"}), HasSubstr("expected an integer"));
  EXPECT_THAT(Error({"--trials"}), HasSubstr("expected a value, as in --trials=N"));
  EXPECT_THAT(Error({"--records="}), HasSubstr("expected a value"));
  EXPECT_THAT(Error({"--strategy=randum"}), HasSubstr("did you mean 'random'?"));
  EXPECT_THAT(Error({"--json=maybe"}), HasSubstr("expected true or false"));
  EXPECT_THAT(Error({"conv.db"}), HasSubstr("unexpected argument 'conv.db'"));
  EXPECT_THAT(Error({"--no-trials"}), HasSubstr("unknown flag"));
  EXPECT_EQ(trials_, 10);
}

TEST_F(FlagSetTest, OnePositionalArgumentWhereThereIsRoom) {
  std::string verb;
  ASSERT_TRUE(set_.Parse({"list", "--json"}, &verb).ok());
  EXPECT_EQ(verb, "list");
  EXPECT_FALSE(set_.Parse({"again"}, &verb).ok());
}

TEST_F(FlagSetTest, HelpNamesFlagsDefaultsAndExamples) {
  ASSERT_TRUE(set_.Parse({"--help", "--nonsense"}).ok());
  EXPECT_TRUE(set_.help_wanted());
  for (const char* part : {"Head.", "--records=FILE", "(default tunefleet.db)", "-o FILE", "--json", "example"}) {
    EXPECT_THAT(set_.Help(), HasSubstr(part));
  }
}

}  // namespace
}  // namespace tunefleet::tuner
