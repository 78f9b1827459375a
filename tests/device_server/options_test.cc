#include "device_server/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "device_server/fleet/tracker_connection.h"

namespace tunefleet::device {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(OptionsTest, EverythingIsReadInBothForms) {
  const auto line = ParseCommandLine({"--tracker=host:9190", "--class", "rk3399", "--id=b.7", "--cores=4-5",
                                      "--threads=2", "--lifeline-fd=5", "--remove-dir-at-exit=/tmp/x"});
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->tracker, "host:9190");
  EXPECT_EQ(line->device_class, "rk3399");
  EXPECT_EQ(line->device_id, "b.7");
  EXPECT_THAT(line->cores, ElementsAre(4, 5));
  EXPECT_EQ(line->threads, 2u);
  EXPECT_EQ(line->lifeline_fd, 5);
  EXPECT_EQ(line->remove_dir_at_exit, "/tmp/x");
}

TEST(OptionsTest, WrongOnesAreNamedWithWhatWouldBeRight) {
  const struct {
    const char* argument;
    const char* complaint;
  } kCases[] = {
      {"--tracker=nowhere", "expected HOST:PORT or unix:PATH"},
      {"--tracker=host:0", "port"},
      {"--tracker=host:99999", "port"},
      {"--tracker=::1:9190", "brackets"},
      {"--tracker=unix:", "no path"},
      {"--class=a b", "characters"},
      {"--cores=x", "a list of cores"},
      {"--threads=0", "a number from 1 to 256"},
      {"--threads", "a number from 1 to 256"},
      {"--remove-dir-at-exit=relative", "an absolute path"},
      {"--turns=relative", "an absolute path"},
      {"--sys-root=relative", "an absolute path"},
      {"--require-sandbox=some", "full"},
      {"--worker=forever", "expected candidate or persistent"},
      {"--colour=red", "unknown option --colour"},
      {"tracker", "is no option"},
  };
  for (const auto& c : kCases) {
    const auto line = ParseCommandLine({c.argument});
    ASSERT_FALSE(line.ok()) << c.argument;
    EXPECT_THAT(line.status().message(), HasSubstr(c.complaint));
    EXPECT_THAT(line.status().message(), Not(HasSubstr("\n")));
  }
  EXPECT_THAT(ParseCommandLine({}).status().message(), HasSubstr("--tracker"));
}

TEST(OptionsTest, WorkersAreForOneKernelUnlessTheyAreToPersist) {
  EXPECT_EQ(ParseCommandLine({"--list"})->worker, WorkerLifetime::kCandidate);
  EXPECT_EQ(ParseCommandLine({"--list", "--worker=candidate"})->worker, WorkerLifetime::kCandidate);
  EXPECT_EQ(ParseCommandLine({"--list", "--worker", "persistent"})->worker, WorkerLifetime::kPersistent);
}

TEST(OptionsTest, AddressesOfEveryKindAreAccepted) {
  for (const char* address : {"host:9190", "10.0.0.5:1", "[::1]:9190", "unix:/run/x/tracker"}) {
    EXPECT_TRUE(CheckTrackerAddress(address).ok()) << address;
  }
}

TEST(OptionsTest, HelpNamesEveryOptionAndGivesExamples) {
  const std::string help = HelpText();
  for (const char* part : {"--tracker", "--class", "--id", "--cores", "--threads", "--list", "--self-test",
                           "--lifeline-fd", "--turns", "--sys-root", "--worker", "Examples"}) {
    EXPECT_THAT(help, HasSubstr(part));
  }
  EXPECT_EQ(ParseCommandLine({"--help", "--nonsense"})->mode, CommandLine::Mode::kHelp);
}

}  // namespace
}  // namespace tunefleet::device
