#include "tuner/commands/progress_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tuner/commands/text.h"

namespace tunefleet::tuner {
namespace {

using ::testing::HasSubstr;

Progress Searching() {
  Progress progress;
  progress.stage = TuneStage::kSearching;
  progress.trials_done = 57;
  progress.trials_total = 128;
  progress.best_latency_ns = 958000;
  progress.best_gflops = 241.34;
  progress.trials_per_second = 18.24;
  progress.device_busy = 0.931;
  progress.failures = {{v1::OUTCOME_REFUSED, 2}, {v1::OUTCOME_WRONG_ANSWER, 3}};
  progress.time_left = absl::Milliseconds(3900);
  return progress;
}

TEST(ProgressLineTest, SaysAllThatMatters) {
  EXPECT_EQ(ProgressLine("resnet18.C6", Searching(), 200),
            "resnet18.C6 searching 57/128 | best 241.3 GFLOP/s (958 us) | 18.2 trials/s | device 93% | "
            "3 wrong answer, 2 refused | 4s left");
}

TEST(ProgressLineTest, NarrowTerminalGetsTheSameInFewerLetters) {
  EXPECT_THAT(ProgressLine("int8", Searching(), 200, "GOP/s"), HasSubstr(" GOP/s "));
  EXPECT_EQ(ProgressLine("resnet18.C6", Searching(), 79),
            "resnet18.C6 57/128 | 241.3 GFLOP/s | 18.2/s | busy 93% | 5 failed | 4s left");
  for (int width = 0; width < 140; ++width) {
    EXPECT_LE(ProgressLine("resnet18.C6", Searching(), width).size(), static_cast<size_t>(width));
  }
}

TEST(ProgressLineTest, FailuresKeepTheirKindsWhereThereIsRoom) {
  EXPECT_EQ(ProgressLine("resnet18.C6", Searching(), 100),
            "resnet18.C6 57/128 | 241.3 GFLOP/s | 18.2/s | busy 93% | 3 wrong answer, 2 refused | 4s left");
  EXPECT_EQ(FailureList({{v1::OUTCOME_NO_REFERENCE, 1}}), "1 no reference");
}

TEST(ProgressLineTest, LongNameIsCutBeforeTheFigures) {
  EXPECT_EQ(ProgressLine("conv2d(n=1,h=56,w=56,ci=64,co=64,k=3,s=1,p=1)", Searching(), 79),
            "conv2d(n=1,h... 57/128 | 241.3 GFLOP/s | 18.2/s | busy 93% | 5 failed | 4s left");
}

TEST(ProgressLineTest, NothingIsInventedBeforeTheFirstKernel) {
  Progress progress;
  progress.trials_total = 16;
  EXPECT_EQ(ProgressLine("x", progress, 200), "x preparing 0/16 | no kernel yet | 0.0 trials/s | device 0%");
}

TEST(ProgressLineTest, LongWaitsAreInMinutesAndHours) {
  Progress progress = Searching();
  progress.time_left = absl::Seconds(754);
  EXPECT_THAT(ProgressLine("x", progress, 200), HasSubstr("12m34s left"));
  progress.time_left = absl::Hours(5) + absl::Minutes(7);
  EXPECT_THAT(ProgressLine("x", progress, 200), HasSubstr("5h07m left"));
}

class SteppedClock final : public common::Clock {
 public:
  absl::Time Now() const override { return now; }
  absl::Time now = absl::FromUnixSeconds(100);
};

class ProgressPrinterTest : public ::testing::Test {
 protected:
  // Reports every 50 ms for ten seconds.
  std::string Printed(bool terminal) {
    char* text = nullptr;
    size_t size = 0;
    std::FILE* file = open_memstream(&text, &size);
    {
      ProgressPrinter printer(file, terminal, &clock_);
      printer.Begin("x");
      for (int i = 0; i < 200; ++i) {
        printer.Report(Searching());
        clock_.now += absl::Milliseconds(50);
      }
    }
    std::fclose(file);
    const std::string printed(text, size);
    std::free(text);
    return printed;
  }
  static int Count(const std::string& text, char c) {
    return static_cast<int>(std::count(text.begin(), text.end(), c));
  }

  SteppedClock clock_;
};

TEST_F(ProgressPrinterTest, PlainLinesComeEveryFewSeconds) {
  const std::string printed = Printed(/*terminal=*/false);
  EXPECT_EQ(Count(printed, '\n'), 4);
  EXPECT_EQ(Count(printed, '\r'), 0);
  EXPECT_EQ(Count(printed, '\x1b'), 0);
}

TEST_F(ProgressPrinterTest, TerminalLineIsRedrawnAndClearedAtTheEnd) {
  const std::string printed = Printed(/*terminal=*/true);
  EXPECT_EQ(Count(printed, '\n'), 0);
  EXPECT_EQ(Count(printed, '\r'), 101);
  EXPECT_THAT(printed, ::testing::EndsWith("\r\x1b[K"));
}

}  // namespace
}  // namespace tunefleet::tuner
