// Real tracker, agent and tuner; each of them killed with SIGKILL at random times and started again. Afterwards the
// tracker's books and the records must agree: no accepted trial without its record, none twice.
//
// TUNEFLEET_KILL_ROUNDS sets the number of kill times per party (20 for the long run); each prints its count.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/integration/ledger.h"
#include "tests/integration/processes.h"

namespace tunefleet::testing {
namespace {

using ::testing::Contains;
using ::testing::Not;

constexpr int kTrials = 24;

int Rounds() {
  const char* text = std::getenv("TUNEFLEET_KILL_ROUNDS");
  int rounds = 0;
  return text != nullptr && absl::SimpleAtoi(text, &rounds) && rounds > 0 ? rounds : 2;
}

// A fleet of one device, and a tuner.
class Fleet {
 public:
  explicit Fleet(int seed) : seed_(seed) {
    StartTracker();
    StartAgent();
  }

  void StartTracker() {
    tracker_ = std::make_unique<Process>(sandbox_, "tracker",
                                         std::vector<std::string>{Program("tunefleet-tracker"), "--listen=" + Address(),
                                                                  "--state=" + State(), "--grace=1s"});
    EXPECT_TRUE(tracker_->PrintsSoon("listening")) << tracker_->Err();
  }
  void StartAgent() {
    agent_ = std::make_unique<Process>(
        sandbox_, "agent",
        std::vector<std::string>{Program("tunefleet-device"), "--tracker=" + Address(), "--id=d1", "--class=test"});
    EXPECT_TRUE(Soon([this] {
      return RunProgram(sandbox_, {Program("tunefleet"), "devices", "--tracker=" + Address(), "--json"})
                 .out.find("\"d1\"") != std::string::npos;
    })) << agent_->Err();
  }
  void StartTuner() {
    tuner_ = std::make_unique<Process>(
        sandbox_, "tuner",
        std::vector<std::string>{Program("tunefleet"), "tune", "--tracker=" + Address(), "--records=" + Records(),
                                 "--op=conv2d(n=1,h=14,w=14,ci=16,co=32,k=3,s=1,p=1,layout=NCHW16c)",
                                 absl::StrCat("--trials=", kTrials), absl::StrCat("--seed=", seed_),
                                 "--strategy=random"});
  }
  Process& tracker() { return *tracker_; }
  Process& agent() { return *agent_; }
  Process& tuner() { return *tuner_; }
  std::vector<pid_t> processes() const { return sandbox_.Processes(); }

  // Lost and double, after the tuner's end.
  struct Verdict {
    int lost = 0;
    int twice = 0;
  };
  Verdict Judge() {
    agent_ = nullptr;
    tracker_ = nullptr;
    const TrackerBooks tracker = ReadTracker(State());
    const RecordBooks records = ReadRecords(Records());
    EXPECT_EQ(records.search, kTrials);
    EXPECT_EQ(records.pending, 0);
    EXPECT_EQ(tracker.unfinished, 0);
    EXPECT_EQ(tracker.acknowledged, tracker.results);
    EXPECT_GT(tracker.accepted.size(), 0u);
    EXPECT_TRUE(sandbox_.IsCleanSoon());
    return {Lost(tracker, records), Double(tracker, records)};
  }

 private:
  std::string Address() const { return absl::StrCat("unix:", sandbox_.Path("socket")); }
  std::string State() const { return sandbox_.Path("state"); }
  std::string Records() const { return sandbox_.Path("conv.db"); }

  Sandbox sandbox_;
  const int seed_;
  std::unique_ptr<Process> tracker_;
  std::unique_ptr<Process> agent_;
  std::unique_ptr<Process> tuner_;
};

// How long a run takes that nobody disturbs: kill times are drawn from that span.
absl::Duration RunTime() {
  static const absl::Duration time = [] {
    Fleet fleet(1);
    const absl::Time begin = absl::Now();
    fleet.StartTuner();
    EXPECT_EQ(fleet.tuner().Wait(), 0) << fleet.tuner().Out() << fleet.tuner().Err();
    const absl::Duration taken = absl::Now() - begin;
    const Fleet::Verdict verdict = fleet.Judge();
    EXPECT_EQ(verdict.lost + verdict.twice, 0);
    return taken;
  }();
  return time;
}

// One run per round: the party is killed at a random time, started again, and the tuner gets to its end.
template <typename KillAndRestart>
void RunRounds(const char* party, int first_seed, const KillAndRestart& kill_and_restart) {
  int lost = 0, twice = 0;
  for (int round = 0; round < Rounds(); ++round) {
    SCOPED_TRACE(absl::StrCat(party, ", round ", round));
    std::mt19937 random(first_seed + round);
    const absl::Duration when = RunTime() * std::uniform_real_distribution<double>(0, 1)(random);
    Fleet fleet(first_seed + round);
    fleet.StartTuner();
    absl::SleepFor(when);
    kill_and_restart(fleet);
    ASSERT_EQ(fleet.tuner().Wait(), 0) << fleet.tuner().Out() << fleet.tuner().Err();
    const Fleet::Verdict verdict = fleet.Judge();
    lost += verdict.lost;
    twice += verdict.twice;
  }
  std::printf("kill %s: rounds=%d lost=%d double=%d\n", party, Rounds(), lost, twice);
  EXPECT_EQ(lost, 0);
  EXPECT_EQ(twice, 0);
}

// The hardware threads that a process may run on; empty: there is no such process.
std::vector<int> CoresOf(pid_t pid) {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cores;
  if (sched_getaffinity(pid, sizeof(set), &set) != 0) return cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  }
  return cores;
}

bool IsBuilder(pid_t pid) {
  std::string name;
  return static_cast<bool>(std::getline(std::ifstream(absl::StrCat("/proc/", pid, "/comm")), name)) &&
         name == "tunefleet-build";  // the kernel keeps 15 characters
}

TEST(FleetTest, BuildersStayOffTheCoresOfAnAgentOnTheSameMachine) {
  const std::vector<int> allowed = CoresOf(0);
  if (allowed.size() < 2) GTEST_SKIP() << "one core";
  Fleet fleet(1);  // its agent measures on the last core
  fleet.StartTuner();
  std::vector<int> cores;
  EXPECT_TRUE(Soon([&] {
    for (const pid_t pid : fleet.processes()) {
      if (IsBuilder(pid)) cores = CoresOf(pid);
    }
    return !cores.empty() || !fleet.tuner().Running();
  }));
  EXPECT_THAT(cores, Contains(allowed.front()));
  EXPECT_THAT(cores, Not(Contains(allowed.back())));
  EXPECT_EQ(CoresOf(fleet.tuner().pid()), cores);
  fleet.tuner().Kill();
}

TEST(KillTest, AgentKilledAndRestarted) {
  RunRounds("agent", 100, [](Fleet& fleet) {
    fleet.agent().Kill();
    fleet.StartAgent();
  });
}

TEST(KillTest, TrackerKilledAndRestarted) {
  RunRounds("tracker", 200, [](Fleet& fleet) {
    fleet.tracker().Kill();
    fleet.StartTracker();
  });
}

TEST(KillTest, TunerKilledAndResumed) {
  RunRounds("tuner", 300, [](Fleet& fleet) {
    fleet.tuner().Kill();
    fleet.StartTuner();
  });
}

}  // namespace
}  // namespace tunefleet::testing
