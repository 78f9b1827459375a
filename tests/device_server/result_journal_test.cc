#include "device_server/fleet/result_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "device_server/fleet/result_keeper.h"
#include "tests/support/temp_dir.h"

namespace tunefleet::device {
namespace {

v1::Finished Result(const std::string& trial, uint64_t counter) {
  v1::Finished finished;
  finished.mutable_lease()->set_trial_id(trial);
  finished.mutable_lease()->set_device_id("d");
  finished.mutable_lease()->mutable_fence()->set_epoch(1);
  finished.mutable_lease()->mutable_fence()->set_counter(counter);
  finished.mutable_result()->set_trial_id(trial);
  return finished;
}

class ResultJournalTest : public ::testing::Test {
 protected:
  std::unique_ptr<ResultJournal> Open() {
    absl::StatusOr<std::unique_ptr<ResultJournal>> journal = ResultJournal::Open(folder_ / "state");
    EXPECT_TRUE(journal.ok()) << journal.status();
    return journal.ok() ? *std::move(journal) : nullptr;
  }
  // Names of the trials on disk.
  std::vector<std::string> Trials() {
    std::vector<std::string> trials;
    for (const v1::Finished& finished : Open()->Load()) trials.push_back(finished.lease().trial_id());
    return trials;
  }
  const absl::Time start_ = absl::UnixEpoch();
  TempDir folder_;
};

TEST_F(ResultJournalTest, KeepsResultsUntilTheyAreRemoved) {
  {
    const auto journal = Open();
    ASSERT_TRUE(journal->Save(Result("a", 1)).ok());
    ASSERT_TRUE(journal->Save(Result("a", 2)).ok()) << "another lease";
    ASSERT_TRUE(journal->Save(Result("b", 3)).ok());
    journal->Remove(KeyOf(Result("a", 1).lease()));
  }
  EXPECT_THAT(Trials(), ::testing::UnorderedElementsAre("a", "b"));
}

TEST_F(ResultJournalTest, BelongsToOneAgentAtATime) {
  const auto journal = Open();
  EXPECT_EQ(ResultJournal::Open(folder_ / "state").status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ResultJournalTest, HalfWrittenAndDamagedResultsAreDropped) {
  const std::string key = KeyOf(Result("a", 1).lease());
  const std::string path = folder_ / "state/" + key + ".result";
  ASSERT_TRUE(Open()->Save(Result("a", 1)).ok());
  ASSERT_TRUE(Open()->Save(Result("b", 2)).ok());
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
  std::ofstream(folder_ / "state/" + key + ".result.new") << "draft";
  EXPECT_THAT(Trials(), ::testing::ElementsAre("b"));
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_FALSE(std::filesystem::exists(path + ".new"));
}

TEST_F(ResultJournalTest, FilesOfOthersAndTheFoldersModeAreLeftAlone) {
  namespace fs = std::filesystem;
  const std::string key = KeyOf(Result("a", 1).lease());
  const std::vector<std::string> foreign = {
      "notes.txt", "thesis.result", "x" + key.substr(1) + ".result", key + ".result.bak", key, ".bashrc", "draft.new"};
  fs::create_directories(folder_ / "state/folder.result");
  fs::permissions(folder_ / "state", fs::perms(0755));
  for (const std::string& name : foreign) std::ofstream(folder_ / "state/" + name) << name;
  std::ofstream(folder_ / "state/" + KeyOf(Result("large", 2).lease()) + ".result") << std::string(1 << 20, 'x');
  ASSERT_TRUE(Open()->Save(Result("a", 1)).ok());
  EXPECT_THAT(Trials(), ::testing::ElementsAre("a"));
  for (const std::string& name : foreign) EXPECT_TRUE(fs::exists(folder_ / "state/" + name)) << name;
  EXPECT_TRUE(fs::exists(folder_ / "state/folder.result"));
  EXPECT_TRUE(fs::exists(folder_ / "state/" + KeyOf(Result("large", 2).lease()) + ".result"));
  EXPECT_EQ(fs::status(folder_ / "state").permissions(), fs::perms(0755));
}

TEST_F(ResultJournalTest, AFolderOfItsOwnIsForItsOwnerAlone) {
  Open();
  EXPECT_EQ(std::filesystem::status(folder_ / "state").permissions(), std::filesystem::perms(0700));
}

TEST_F(ResultJournalTest, KeeperWritesWhatWaitsTooLongAndRemovesWhatIsAcknowledged) {
  ResultKeeper keeper(Open(), absl::Seconds(1));
  EXPECT_EQ(keeper.Update({Result("a", 1)}, start_), 0u);
  EXPECT_EQ(keeper.Update({Result("a", 1), Result("b", 2)}, start_ + absl::Milliseconds(900)), 0u);
  const auto files = [this] {
    return std::distance(std::filesystem::directory_iterator(folder_ / "state"), {}) - 1;  // the lock
  };
  EXPECT_EQ(files(), 0);
  keeper.Update({Result("a", 1), Result("b", 2)}, start_ + absl::Seconds(1));
  EXPECT_EQ(files(), 1);
  keeper.Update({Result("b", 2)}, start_ + absl::Seconds(2));
  EXPECT_EQ(files(), 1) << "b came, a went";
  EXPECT_EQ(keeper.SaveAll({Result("b", 2), Result("c", 3)}), 0u);
  EXPECT_EQ(files(), 2);
}

TEST_F(ResultJournalTest, KeeperTakesUpWhatEarlierRunsLeft) {
  ASSERT_TRUE(Open()->Save(Result("a", 1)).ok());
  {
    ResultKeeper keeper(Open(), absl::Seconds(1));
    ASSERT_EQ(keeper.Load().size(), 1u);
    keeper.Update({}, start_);
  }
  EXPECT_THAT(Trials(), ::testing::IsEmpty());
}

TEST_F(ResultJournalTest, KeeperWithoutAJournalSaysWhatItCannotKeep) {
  ResultKeeper keeper(nullptr, absl::Seconds(1));
  EXPECT_TRUE(keeper.Load().empty());
  EXPECT_EQ(keeper.Update({Result("a", 1)}, start_), 0u);
  EXPECT_EQ(keeper.SaveAll({Result("a", 1)}), 1u);
}

}  // namespace
}  // namespace tunefleet::device
