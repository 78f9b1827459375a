// Bad input: exit status 2 and one line on standard error that says what was wrong and what would be right.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/integration/processes.h"

namespace tunefleet::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

struct BadInput {
  std::string name;
  std::vector<std::string> arguments;  // DIR stands for the sandbox's folder
  std::string expected;
};

class BadInputTest : public ::testing::TestWithParam<BadInput> {};

TEST_P(BadInputTest, IsAnsweredInOneLineWithStatusTwo) {
  Sandbox sandbox;
  const std::string garbage = "this is no database, however long one reads it. " + std::string(5000, 'x');
  std::ofstream(sandbox.Path("corrupt.db")) << garbage;
  std::vector<std::string> command = {Program("tunefleet")};
  for (const std::string& argument : GetParam().arguments) {
    command.push_back(absl::StrReplaceAll(argument, {{"DIR", sandbox.Path(".")}}));
  }
  const Finished run = RunProgram(sandbox, command);
  EXPECT_EQ(run.exit, 2) << run.out << run.err;
  EXPECT_THAT(run.out, IsEmpty());
  EXPECT_THAT(run.err, StartsWith("tunefleet: "));
  EXPECT_THAT(run.err, HasSubstr(GetParam().expected));
  EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
  EXPECT_TRUE(sandbox.IsCleanSoon());
  std::ifstream corrupt(sandbox.Path("corrupt.db"));
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(corrupt), {}), garbage) << "a file that is not ours was changed";
}

constexpr char kSmall[] = "--op=matmul(m=16,n=16,k=16)";

INSTANTIATE_TEST_SUITE_P(
    All, BadInputTest,
    ::testing::Values(
        BadInput{"NoCommand", {}, "tunefleet help"}, BadInput{"UnknownCommand", {"tnue"}, "did you mean 'tune'?"},
        BadInput{"UnknownFlag", {"tune", "--trails=5"}, "did you mean --trials?"},
        BadInput{"StrayArgument", {"tune", "resnet18.C6"}, "unexpected argument 'resnet18.C6'"},
        BadInput{"NothingToTune", {"tune"}, "--workload=NAME"},
        BadInput{"TooMuchToTune", {"tune", "--workload=resnet18.C6", kSmall}, "exclude each other"},
        BadInput{"NoTrials", {"tune", kSmall, "--trials=0"}, "expected an integer from 1"},
        BadInput{"UnknownStrategy", {"tune", kSmall, "--strategy=randon"}, "did you mean 'random'?"},
        BadInput{"UnknownWorkload", {"tune", "--workload=resnet18.C66"}, "did you mean 'resnet18.C6'?"},
        BadInput{"UnknownNetwork", {"tune", "--workload=resent18"}, "did you mean 'resnet18'?"},
        BadInput{"UnknownOperator", {"tune", "--op=conv3d(n=1)"}, "conv2d"},
        BadInput{"OperatorWithoutEnd", {"tune", "--op=conv2d(n=1,h=56"}, "conv2d(n=1,h=56"},
        BadInput{"OperatorWithBadValue", {"tune", "--op=matmul(m=0,n=16,k=16)"}, "m"},
        BadInput{"OperatorWithUnknownName", {"tune", "--op=matmul(m=16,n=16,q=16)"}, "q"},
        BadInput{"UnknownTarget", {"tune", kSmall, "--target=vax-dec-ultrix"}, "x86_64-linux-gnu"},
        BadInput{"UnknownCpu", {"tune", kSmall, "--target=x86_64-linux-gnu -mcpu=znver99"}, "did you mean 'znver"},
        BadInput{"FeaturesWithoutCpu", {"tune", kSmall, "--target=x86_64-linux-gnu -mattr=-avx512f"}, "-mcpu="},
        BadInput{"MoreThreadsThanCores", {"tune", kSmall, "--threads=1000", "--records=DIR/new.db"}, "1000 threads"},
        BadInput{"TunerIntoMissingFolder",
                 {"tune", kSmall, "--records=DIR/none/conv.db"},
                 "none/conv.db: No such file or directory; expected a file in a folder that exists"},
        BadInput{"TunerIntoGarbage", {"tune", kSmall, "--records=DIR/corrupt.db"}, "corrupt.db"},
        BadInput{"BadTrackerAddress", {"tune", kSmall, "--records=DIR/a.db", "--tracker=nowhere"}, "HOST:PORT"},
        BadInput{"UnreachableTracker",
                 {"tune", kSmall, "--records=DIR/a.db", "--tracker=127.0.0.1:1"},
                 "tracker 127.0.0.1:1 does not answer"},
        BadInput{"BestOfMissingFile", {"best", "--records=DIR/missing.db"}, "tunefleet tune --records="},
        BadInput{"ExplainOfMissingFile", {"explain", "--records=DIR/missing.db"}, "tunefleet tune --records="},
        BadInput{"BestOfGarbage", {"best", "--records=DIR/corrupt.db"}, "corrupt.db"},
        BadInput{"BuildWithoutOutput", {"build", "--records=DIR/missing.db"}, "-o conv.so"},
        BadInput{"BuildOfMissingFile", {"build", "--records=DIR/missing.db", "-o", "DIR/x.so"}, "missing.db"},
        BadInput{"RecordsOfMissingFile", {"records", "--records=DIR/missing.db"}, "missing.db"},
        BadInput{"RecordsOfGarbage", {"records", "list", "--records=DIR/corrupt.db", "--json"}, "corrupt.db"},
        BadInput{"RecordsWithUnknownAction", {"records", "lost"}, "records list"},
        BadInput{"DevicesWithoutTracker", {"devices"}, "--tracker=127.0.0.1:9190"},
        BadInput{
            "DevicesOfUnreachableTracker", {"devices", "--tracker=127.0.0.1:1"}, "is tunefleet-tracker running there?"},
        BadInput{"JobsOfUnreachableSocket", {"jobs", "--tracker=unix:DIR/none"}, "does not answer"}),
    [](const ::testing::TestParamInfo<BadInput>& info) { return info.param.name; });

TEST(TrackerBadInputTest, PortInUseIsNamed) {
  Sandbox sandbox;
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(listen(socket, 1), 0);
  socklen_t size = sizeof(address);
  getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  const std::string port = absl::StrCat(ntohs(address.sin_port));
  const Finished run = RunProgram(sandbox, {Program("tunefleet-tracker"), "--listen=127.0.0.1:" + port,
                                            absl::StrCat("--state=", sandbox.Path("state"))});
  close(socket);
  EXPECT_EQ(run.exit, 2) << run.out << run.err;
  EXPECT_THAT(run.err, HasSubstr(port));
}

TEST(TrackerBadInputTest, PublicAddressIsRefused) {
  Sandbox sandbox;
  const Finished run = RunProgram(
      sandbox, {Program("tunefleet-tracker"), "--listen=0.0.0.0:0", absl::StrCat("--state=", sandbox.Path("state"))});
  EXPECT_EQ(run.exit, 2) << run.out << run.err;
  EXPECT_THAT(run.err, HasSubstr("TLS"));
}

}  // namespace
}  // namespace tunefleet::testing
