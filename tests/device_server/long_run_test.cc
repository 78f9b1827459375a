// An agent that carries out trial after trial holds at the end what it held in the beginning.
//
// TUNEFLEET_LONG_TRIALS=200000 makes it a week of a busy board (some twenty minutes of a desktop core); each checkpoint
// is printed.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/device_server/agent_process.h"
#include "tests/device_server/fake_tracker.h"
#include "tests/device_server/footprint.h"
#include "tests/device_server/trial_fixture.h"
#include "tests/support/temp_dir.h"

namespace tunefleet::device {
namespace {

constexpr int kCheckpoints = 10;
// An allocator keeps some of what it is given back; a leak in every trial of a long run is far above it.
constexpr int64_t kAllocatorSlackKib = 4096;
// Others may have the core for a while.
constexpr absl::Duration kPatience = absl::Minutes(10);
// gRPC opens and closes a few of its own as it goes.
constexpr int64_t kBreathing = 8;

int64_t WantedTrials() {
  const char* text = std::getenv("TUNEFLEET_LONG_TRIALS");
  int64_t trials = 0;
  return text != nullptr && absl::SimpleAtoi(text, &trials) && trials >= kCheckpoints ? trials : 500;
}

class LongRunTest : public ::testing::Test {
 protected:
  LongRunTest()
      : tracker_(Address(), &blobs_, kPatience),
        agent_({absl::StrCat("--tracker=", Address()), "--id=device-1", "--class=test", "--log-level=off",
                absl::StrCat("--state=", folder_ / "state")}) {
    EXPECT_TRUE(tracker_.Receive().has_hello());
    // A kernel of about a tenth of a millisecond, timed as briefly as can be.
    trial_ = MakeTrial("big_loop", &blobs_);
    v1::MeasureOptions& options = *trial_.mutable_options();
    options.set_min_samples(1);
    options.set_max_samples(1);
    options.mutable_min_sample_time()->set_nanos(100'000);
  }
  std::string Address() const { return absl::StrCat("unix:", folder_ / "tracker"); }

  // The device always has one trial to run and one behind it.
  void RunTrials(int64_t count) {
    for (int64_t done = 0, assigned = 0; done < count; ++done) {
      for (; assigned < count && assigned < done + 2; ++assigned) {
        trial_.set_trial_id(absl::StrCat("t", ++last_));
        tracker_.Assign(trial_, last_, "device-1");
      }
      const v1::Finished finished = tracker_.ReceiveOf(v1::AgentMessage::kFinished).finished();
      ASSERT_EQ(v1::Outcome_Name(finished.result().outcome()), "OUTCOME_OK") << finished.result().detail();
      tracker_.Acknowledge(finished.lease());
    }
  }

  // With no trial under way.
  Footprint Look() {
    std::vector<pid_t> pids = DescendantsOf(agent_.pid());
    pids.push_back(agent_.pid());
    return FootprintOf(pids, {folder_.path()});
  }

  TempDir folder_;
  TestBlobs blobs_;
  FakeTracker tracker_;
  AgentProcess agent_;
  v1::Trial trial_;
  uint64_t last_ = 0;
};

TEST_F(LongRunTest, HoldsNoMoreAfterManyTrialsThanAfterAFew) {
  const int64_t trials = WantedTrials();
  const int64_t step = trials / kCheckpoints;
  const absl::Time begin = absl::Now();
  Footprint first;
  Footprint now;
  for (int checkpoint = 1; checkpoint <= kCheckpoints; ++checkpoint) {
    ASSERT_NO_FATAL_FAILURE(RunTrials(checkpoint < kCheckpoints ? step : trials - step * (kCheckpoints - 1)));
    now = Look();
    if (checkpoint == 1) first = now;
    std::printf("%8.0f s %8d trials: %s\n", absl::ToDoubleSeconds(absl::Now() - begin), static_cast<int>(last_),
                now.Text().c_str());
    std::fflush(stdout);
  }
  EXPECT_EQ(now.processes, first.processes);
  EXPECT_LE(now.threads, first.threads + kBreathing);
  EXPECT_LE(now.descriptors, first.descriptors + kBreathing);
  EXPECT_EQ(now.files, first.files);
  EXPECT_LE(now.mappings, first.mappings + kBreathing);
  EXPECT_LE(now.private_kib, first.private_kib + kAllocatorSlackKib);
  EXPECT_LE(now.shared_kib, first.shared_kib + kAllocatorSlackKib);
  std::printf("growth over %d trials: %d descriptors, %d processes, %d files, %d KiB private, %d KiB shared\n",
              static_cast<int>(trials), static_cast<int>(now.descriptors - first.descriptors),
              static_cast<int>(now.processes - first.processes), static_cast<int>(now.files - first.files),
              static_cast<int>(now.private_kib - first.private_kib),
              static_cast<int>(now.shared_kib - first.shared_kib));
}

}  // namespace
}  // namespace tunefleet::device
