// tunefleet-tracker as users start it: its one line, its exit status.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/support/temp_dir.h"
#include "tracker/power_switch.h"

namespace tunefleet::tracker {
namespace {

// Runs with both outputs in one pipe.
class Daemon {
 public:
  explicit Daemon(const std::vector<std::string>& arguments) {
    const char* folder = std::getenv("TUNEFLEET_BIN");
    TF_CHECK(folder != nullptr, "TUNEFLEET_BIN names the folder of the programs");
    std::vector<std::string> words = {std::string(folder) + "/tunefleet-tracker"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    int fds[2];
    TF_CHECK(pipe(fds) == 0, "pipe");
    pid_ = fork();
    if (pid_ == 0) {
      dup2(fds[1], STDOUT_FILENO);
      dup2(fds[1], STDERR_FILENO);
      execv(argv[0], argv.data());
      _exit(127);
    }
    close(fds[1]);
    output_ = fdopen(fds[0], "r");
  }
  ~Daemon() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    fclose(output_);
  }
  std::string Line() {
    char line[4096] = {};
    return fgets(line, sizeof(line), output_) == nullptr ? "" : line;
  }
  void Signal(int signal) { kill(pid_, signal); }
  int ExitStatus() {
    int status = 0;
    waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = -1;
  FILE* output_ = nullptr;
};

TEST(TrackerDaemonTest, SaysWhereItListensAndEndsCleanlyOnSigterm) {
  TempDir dir;
  Daemon daemon(
      {"--listen=127.0.0.1:0", "--state", dir / "state", "--port-file=" + (dir / "port"), "--log-level=error"});
  const std::string line = daemon.Line();
  std::string port;
  std::ifstream(dir / "port") >> port;
  EXPECT_EQ(line, "tunefleet-tracker listening on 127.0.0.1:" + port + "\n");
  daemon.Signal(SIGTERM);
  EXPECT_EQ(daemon.ExitStatus(), 0);
}

TEST(TrackerDaemonTest, BadInputIsOneClearLineAndExitStatusTwo) {
  TempDir dir;
  Daemon running({"--listen=127.0.0.1:0", "--state=" + (dir / "state")});
  const std::string line = running.Line();
  const std::string port = line.substr(line.rfind(':') + 1, line.size() - line.rfind(':') - 2);
  std::ofstream(dir / "file") << "x";
  std::filesystem::create_directories(dir / "corrupt");
  std::ofstream(dir / "corrupt/tracker.db") << std::string(9000, 'x');
  const struct {
    std::vector<std::string> arguments;
    std::string says;
  } cases[] = {
      {{"--listen=127.0.0.1:0", "--state=" + (dir / "state")}, "in use by process"},
      {{"--listen=127.0.0.1:" + port, "--state=" + (dir / "other")}, port},
      {{"--listen=0.0.0.0:0", "--state=" + (dir / "other")}, "not a loopback address"},
      {{"--listen=nowhere", "--state=" + (dir / "other")}, "expected host:port"},
      {{"--listen=127.0.0.1:0", "--state=" + (dir / "file/x")}, "state directory"},
      {{"--listen=127.0.0.1:0", "--state=" + (dir / "corrupt")}, "is corrupt"},
      {{"--listen=127.0.0.1:0"}, "--state=DIR is missing"},
      {{"--stat=x"}, "unknown flag --stat"},
      {{"--listen=127.0.0.1:0", "--state=" + (dir / "other"), "--power-cycle-command=nowhere"}, "path of a program"},
      {{"--grace=soon"}, "--grace='soon'"},
      {{"--state"}, "needs a value"},
      {{"x"}, "unexpected argument 'x'"},
  };
  for (const auto& bad : cases) {
    Daemon daemon(bad.arguments);
    const std::string first = daemon.Line();
    EXPECT_NE(first.find(bad.says), std::string::npos) << first;
    EXPECT_EQ(daemon.Line(), "") << "one line";
    EXPECT_EQ(daemon.ExitStatus(), 2) << first;
  }
}

TEST(TrackerDaemonTest, PowerSwitchRunsTheCommandWithTheDeviceAndGivesUpOnOneThatHangs) {
  TempDir dir;
  std::ofstream(dir / "switch") << "#!/bin/sh\n[ $3 = 2 ] && sleep 1000\necho $1 $2 $3 >> " << dir / "log"
                                << "\n";
  std::filesystem::permissions(dir / "switch", std::filesystem::perms::owner_all);
  {
    PowerSwitch power(dir / "switch", absl::Milliseconds(300));
    power.Cycle({"board-7", "rk3399", 1});
    power.Cycle({"board-7", "rk3399", 2});
    power.Cycle({"board-8", "rk3399", 1});
  }
  std::ifstream log(dir / "log");
  const std::string text{std::istreambuf_iterator<char>(log), {}};
  EXPECT_EQ(text, "board-7 rk3399 1\nboard-8 rk3399 1\n");
}

TEST(TrackerDaemonTest, KilledDaemonIsStartedAgainOnTheSameStateAndSocket) {
  TempDir dir;
  for (int round = 0; round < 3; ++round) {
    Daemon daemon({"--listen=unix:" + (dir / "socket"), "--state=" + (dir / "state")});
    EXPECT_EQ(daemon.Line(), "tunefleet-tracker listening on unix:" + (dir / "socket") + "\n");
    daemon.Signal(SIGKILL);
    daemon.ExitStatus();
  }
}

}  // namespace
}  // namespace tunefleet::tracker
