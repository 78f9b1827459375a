// The campaign: programs with one fault each, compiled, run and verified as the agent does it. None that is wrong
// passes.
//
// TUNEFLEET_MUTANTS=1000 asks for so many wrong programs, TUNEFLEET_MUTANTS_SEED=N for others.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "codegen/ir/printer.h"
#include "device_server/describe/cpu_list.h"
#include "device_server/describe/machine.h"
#include "device_server/measure/trial_runner.h"
#include "gtest/gtest.h"
#include "tests/mutants/mutate.h"
#include "tests/mutants/subject.h"

namespace tunefleet::codegen {
namespace {

constexpr const char* kOperators[] = {
    "conv2d(h=7,w=9,ci=7,co=18,k=3,p=1)",
    "conv2d(h=6,w=5,ci=40,co=16,k=3,s=2,p=1,layout=NCHW16c)+relu",
    "conv2d(h=9,w=8,ci=3,co=9,k=5,s=2,p=2)",
    "conv2d(h=5,w=7,ci=19,co=21,k=1)+bias+relu",
    "conv2d(h=3,w=4,ci=300,co=8,k=3,p=1)+bias",
    "depthwise_conv2d(h=9,w=11,c=19,k=3,p=1)+bias",
    "depthwise_conv2d(h=12,w=9,c=8,k=5,s=2,p=2)",
    "matmul(m=7,n=37,k=23)",
    "matmul(m=3,n=17,k=1500,tb=1)",
    "matmul(batch=2,m=13,n=5,k=40,ta=1)+bias",
    "dense(m=1,n=41,k=600)+bias+relu",
    "dense(m=9,n=33,k=65)+relu",
};
constexpr int64_t kMutantsPerSchedule = 100;  // of every operator: with more wanted come more schedules

int64_t FromEnvironment(const char* name, int64_t otherwise) {
  const char* text = std::getenv(name);
  int64_t value = 0;
  return text != nullptr && absl::SimpleAtoi(text, &value) ? value : otherwise;
}

struct Tally {
  int wrong = 0;
  int ill_formed = 0;
  int right = 0;
  int not_built = 0;
  std::map<std::string, int> outcomes;  // of what is not right
};

class MutantTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::vector<uint16_t> usable = device::UsableCores();
    auto runner = device::TrialRunner::Create(
        {.program = TUNEFLEET_DEVICE_PROGRAM, .cores = {usable.back()}, .device_id = "mutants"});
    ASSERT_TRUE(runner.ok()) << runner.status();
    runner_ = *std::move(runner);
    const v1::Target target = device::DescribeTarget({usable.back()}, 1);
    for (const char* op : kOperators) {
      for (int64_t i = 0; i <= wanted_ / kMutantsPerSchedule; ++i) {
        absl::StatusOr<Subject> subject = MakeSubject(op, target, random_);
        ASSERT_TRUE(subject.ok()) << op << ": " << subject.status();
        const absl::StatusOr<Artifact> artifact = subject->Compile(subject->lowered.nest);
        ASSERT_TRUE(artifact.ok()) << op << ": " << artifact.status();
        ASSERT_EQ(Run(*subject, *artifact).outcome(), v1::OUTCOME_OK) << op;
        subjects_.push_back(*std::move(subject));
      }
    }
  }

  v1::TrialResult Run(const Subject& subject, const Artifact& artifact) {
    device::TestBlobs blobs;
    const absl::StatusOr<v1::Trial> trial = subject.MakeTrial(artifact, "mutant", &blobs);
    EXPECT_TRUE(trial.ok()) << trial.status();
    return runner_->Run({.trial = *trial, .blobs = blobs, .time_limit = absl::Seconds(60), .cancelled = nullptr});
  }

  // Counts what became of one mutant.
  void Try(const Subject& subject, int fault) {
    const std::optional<Mutant> mutant = Mutate(subject.lowered.nest, fault, random_);
    if (!mutant.has_value() || !seen_.insert(Print(mutant->nest)).second) return;
    Tally& tally = tallies_[fault];
    const absl::StatusOr<Artifact> artifact = subject.Compile(mutant->nest);
    if (!artifact.ok()) {
      ++tally.not_built;
      return;
    }
    const v1::TrialResult result = Run(subject, *artifact);
    const bool passed = result.outcome() == v1::OUTCOME_OK;
    const Truth truth = subject.Judge(mutant->nest);
    // An ill-formed program may compile to a right one: a lane too many that nobody reads.
    const bool harmless = passed && truth == Truth::kIllFormed && subject.ComputesExamples(mutant->nest, *artifact);
    const std::string words = absl::StrCat(subject.task.name, ", ", FaultName(fault), ": ", mutant->place, "\n",
                                           v1::Outcome_Name(result.outcome()), " ", result.detail());
    EXPECT_NE(result.outcome(), v1::OUTCOME_DEVICE_ERROR) << words;
    if (truth == Truth::kRight || harmless) {
      ++tally.right;
      EXPECT_TRUE(passed) << "a right program is refused: " << words;
      return;
    }
    ++(truth == Truth::kWrong ? tally.wrong : tally.ill_formed);
    ++tally.outcomes[v1::Outcome_Name(result.outcome())];
    if (passed) {
      ++slipped_;
      ADD_FAILURE() << "a wrong program passes: " << words;
    }
  }

  int Wrong() const {
    int wrong = 0;
    for (const auto& [fault, tally] : tallies_) wrong += tally.wrong;
    return wrong;
  }

  void PrintTallies() const {
    std::printf("%-28s %6s %10s %6s %10s  outcomes\n", "fault", "wrong", "ill-formed", "right", "not built");
    for (const auto& [fault, tally] : tallies_) {
      std::printf("%-28s %6d %10d %6d %10d ", FaultName(fault), tally.wrong, tally.ill_formed, tally.right,
                  tally.not_built);
      for (const auto& [outcome, count] : tally.outcomes) std::printf(" %s %d", outcome.c_str() + 8, count);
      std::printf("\n");
    }
    std::printf("mutants that pass verification: %d of %d\n", slipped_, Wrong());
  }

  const int64_t wanted_ = FromEnvironment("TUNEFLEET_MUTANTS", 40);
  std::mt19937_64 random_{static_cast<uint64_t>(FromEnvironment("TUNEFLEET_MUTANTS_SEED", 1))};
  std::unique_ptr<device::TrialRunner> runner_;
  std::vector<Subject> subjects_;
  std::set<std::string> seen_;
  std::map<int, Tally> tallies_;
  int slipped_ = 0;
};

TEST_F(MutantTest, NoWrongProgramPasses) {
  const int64_t most = 20 * wanted_ + 1000;
  for (int64_t i = 0; i < most && Wrong() < wanted_; ++i) {
    Try(subjects_[static_cast<size_t>(i) % subjects_.size()], static_cast<int>(i / 7) % NumFaults());
    if (i % 500 == 499) std::printf("%d wrong of %d tried\n", Wrong(), static_cast<int>(i) + 1), std::fflush(stdout);
  }
  PrintTallies();
  EXPECT_GE(Wrong(), wanted_);
  EXPECT_EQ(slipped_, 0);
}

}  // namespace
}  // namespace tunefleet::codegen
