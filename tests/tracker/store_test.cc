#include "tracker/store/store.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <future>
#include <semaphore>
#include <set>

#include "absl/strings/str_cat.h"
#include "tests/support/temp_dir.h"
#include "tests/tracker/core_harness.h"

namespace tunefleet::tracker {
namespace {

Commit JobCommit(uint64_t number) {
  PutJob op;
  op.open.set_job_id(absl::StrCat("job", number));
  return {number, {op}};
}

TEST(StoreTest, CommitsBecomeDurableInOrderAndStopStoresWhatIsQueued) {
  TempDir dir;
  {
    auto store = Store::Open(dir.path());
    ASSERT_TRUE(store.ok()) << store.status();
    std::vector<uint64_t> durable;
    (*store)->Start([&durable](absl::StatusOr<uint64_t> number) { durable.push_back(number.value()); });
    for (uint64_t number = 1; number <= 500; ++number) (*store)->Enqueue(JobCommit(number));
    (*store)->Stop();
    ASSERT_FALSE(durable.empty());
    EXPECT_TRUE(std::is_sorted(durable.begin(), durable.end()));
    EXPECT_EQ(durable.back(), 500u);
  }
  EXPECT_EQ((*Store::Open(dir.path()))->Load()->jobs.size(), 500u);
}

TEST(StoreTest, FailureIsToldOnceAndNothingIsStoredAfterIt) {
  TempDir dir;
  auto store = *Store::Open(dir.path());
  std::promise<absl::Status> failed;
  int calls = 0;
  store->Start([&](absl::StatusOr<uint64_t> number) {
    if (number.ok()) return;
    ++calls;
    failed.set_value(number.status());
  });
  store->Enqueue({1, {StartLease{"none", {1, 1}}}});
  EXPECT_EQ(failed.get_future().get().code(), absl::StatusCode::kFailedPrecondition);
  store->Enqueue(JobCommit(2));
  store->Stop();
  EXPECT_EQ(calls, 1);
  store.reset();
  EXPECT_TRUE((*Store::Open(dir.path()))->Load()->jobs.empty());
}

TEST(StoreTest, SecondTrackerIsToldWhoHoldsTheDirectory) {
  TempDir dir;
  auto store = *Store::Open(dir.path());
  const auto second = Store::Open(dir.path());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(std::string(second.status().message()).find(absl::StrCat("process ", getpid())), std::string::npos);
  store.reset();
  EXPECT_TRUE(Store::Open(dir.path()).ok());
}

// A child stores and says what is durable; killed at a random time, all of that is there, and it is a prefix.
TEST(StoreTest, KilledProcessLosesNothingThatItCalledDurable) {
  for (int round = 0; round < 8; ++round) {
    TempDir dir;
    int pipe_fds[2];
    ASSERT_EQ(pipe(pipe_fds), 0);
    const pid_t child = fork();
    if (child == 0) {
      close(pipe_fds[0]);
      // At most so many under way, or one transaction would take an endless queue.
      std::counting_semaphore<64> room(64);
      uint64_t told = 0;
      auto store = Store::Open(dir.path());
      (*store)->Start([&](absl::StatusOr<uint64_t> number) {
        const uint64_t value = *number;
        if (write(pipe_fds[1], &value, sizeof(value)) < 0) _exit(1);
        room.release(static_cast<ptrdiff_t>(value - std::exchange(told, value)));
      });
      for (uint64_t number = 1;; ++number) {
        room.acquire();
        (*store)->Enqueue(JobCommit(number));
      }
    }
    close(pipe_fds[1]);
    uint64_t durable = 0;
    for (int reads = 0; reads <= round; ++reads) {
      ASSERT_EQ(read(pipe_fds[0], &durable, sizeof(durable)), static_cast<ssize_t>(sizeof(durable)));
    }
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    uint64_t later = 0;
    while (read(pipe_fds[0], &later, sizeof(later)) == static_cast<ssize_t>(sizeof(later))) durable = later;
    close(pipe_fds[0]);
    const auto store = Store::Open(dir.path());
    ASSERT_TRUE(store.ok()) << store.status();
    std::set<std::string> ids;
    const Snapshot snapshot = *(*store)->Load();
    for (const auto& job : snapshot.jobs) ids.insert(job.open.job_id());
    EXPECT_GE(ids.size(), durable);
    for (uint64_t number = 1; number <= ids.size(); ++number) EXPECT_TRUE(ids.contains(absl::StrCat("job", number)));
  }
}

}  // namespace
}  // namespace tunefleet::tracker
