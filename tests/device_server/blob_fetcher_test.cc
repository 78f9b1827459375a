#include "device_server/fleet/blob_fetcher.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "common/digest.h"

namespace tunefleet::device {
namespace {

// Serves blobs, breaking off after each of the given numbers of bytes first.
class FakeDownloader : public BlobDownloader {
 public:
  std::string Add(std::string bytes) {
    const common::MutexLock lock(&mutex_);
    std::string digest = common::Sha256(bytes);
    blobs_[digest] = std::move(bytes);
    return digest;
  }
  void Corrupt(const std::string& digest) { blobs_[digest] += "!"; }

  absl::Status Download(const std::string& digest, std::string* bytes) override {
    const common::MutexLock lock(&mutex_);
    ++calls_;
    offsets_.push_back(bytes->size());
    const auto found = blobs_.find(digest);
    if (found == blobs_.end()) return absl::NotFoundError("no such blob");
    if (found->second.empty()) return absl::DataLossError("cut short");
    if (slow_.contains(digest)) {
      if (bytes->size() < found->second.size()) bytes->push_back(found->second[bytes->size()]);
      if (bytes->size() < found->second.size()) return absl::DeadlineExceededError("it takes long");
      return absl::OkStatus();
    }
    if (!breaks_.empty()) {
      bytes->append(found->second.substr(bytes->size(), breaks_.front()));
      breaks_.pop_front();
      return absl::UnavailableError("the connection broke");
    }
    bytes->append(found->second.substr(bytes->size()));
    return absl::OkStatus();
  }

  // The tracker has it and cannot read it.
  std::string AddUnreadable() {
    const common::MutexLock lock(&mutex_);
    blobs_[std::string(32, 'u')] = "";
    return std::string(32, 'u');
  }

  // One byte a call.
  std::string AddSlow(std::string bytes) {
    std::string digest = Add(std::move(bytes));
    const common::MutexLock lock(&mutex_);
    slow_.insert(digest);
    return digest;
  }

  void BreakAfter(size_t bytes) { breaks_.push_back(bytes); }
  int calls() {
    const common::MutexLock lock(&mutex_);
    return calls_;
  }
  std::vector<size_t> offsets() {
    const common::MutexLock lock(&mutex_);
    return offsets_;
  }

 private:
  common::Mutex mutex_;
  std::map<std::string, std::string> blobs_;
  std::set<std::string> slow_;
  std::deque<size_t> breaks_;
  int calls_ = 0;
  std::vector<size_t> offsets_;
};

constexpr absl::Duration kRetry = absl::Milliseconds(1);
bool Never() { return false; }

TEST(BlobFetcherTest, FetchesWhatIsMissingAndCachesIt) {
  FakeDownloader downloader;
  const std::string a = downloader.Add("alpha"), b = downloader.Add("beta");
  BlobCache cache(1 << 20);
  BlobFetcher fetcher(&downloader, &cache, kRetry);
  fetcher.Want({a, b});
  auto blobs = fetcher.Wait({a, b}, Never);
  ASSERT_TRUE(blobs.ok()) << blobs.status();
  EXPECT_EQ(**blobs->Get(a), "alpha");
  EXPECT_EQ(**blobs->Get(b), "beta");
  EXPECT_TRUE(fetcher.Wait({b}, Never).ok());
  EXPECT_EQ(downloader.calls(), 2);
  EXPECT_FALSE(blobs->Get("other").ok());
}

TEST(BlobFetcherTest, ABrokenDownloadResumesWhereItStopped) {
  FakeDownloader downloader;
  const std::string digest = downloader.Add("0123456789");
  downloader.BreakAfter(3);
  downloader.BreakAfter(4);
  BlobCache cache(1 << 20);
  BlobFetcher fetcher(&downloader, &cache, kRetry);
  auto blobs = fetcher.Wait({digest}, Never);
  ASSERT_TRUE(blobs.ok()) << blobs.status();
  EXPECT_EQ(**blobs->Get(digest), "0123456789");
  EXPECT_EQ(downloader.offsets(), (std::vector<size_t>{0, 3, 7}));
}

TEST(BlobFetcherTest, ContentThatDoesNotMatchItsDigestIsNeverHandedOut) {
  FakeDownloader downloader;
  const std::string digest = downloader.Add("honest");
  downloader.Corrupt(digest);
  BlobCache cache(1 << 20);
  BlobFetcher fetcher(&downloader, &cache, kRetry);
  EXPECT_TRUE(absl::IsDataLoss(fetcher.Wait({digest}, Never).status()));
  EXPECT_EQ(cache.Get(digest), nullptr);
}

TEST(BlobFetcherTest, AMissingBlobIsAnErrorAndOthersGoOn) {
  FakeDownloader downloader;
  const std::string there = downloader.Add("there");
  const std::string missing(32, 'm');
  BlobCache cache(1 << 20);
  BlobFetcher fetcher(&downloader, &cache, kRetry);
  EXPECT_TRUE(absl::IsNotFound(fetcher.Wait({missing, there}, Never).status()));
  EXPECT_TRUE(fetcher.Wait({there}, Never).ok());
}

TEST(BlobFetcherTest, ABlobThatCannotBeReadDoesNotHoldUpOthers) {
  FakeDownloader downloader;
  const std::string unreadable = downloader.AddUnreadable(), there = downloader.Add("there");
  BlobCache cache(1 << 20);
  BlobFetcher fetcher(&downloader, &cache, kRetry);
  fetcher.Want({unreadable, there});
  EXPECT_TRUE(fetcher.Wait({there}, Never).ok());
  EXPECT_TRUE(absl::IsDataLoss(fetcher.Wait({unreadable}, Never).status()));
}

TEST(BlobFetcherTest, AFailureThatNobodyWaitedForIsForgottenByALaterWish) {
  FakeDownloader downloader;
  const std::string digest = common::Sha256("late");
  BlobCache cache(1 << 20);
  BlobFetcher fetcher(&downloader, &cache, kRetry);
  const std::string there = downloader.Add("there");
  fetcher.Want({digest});
  ASSERT_TRUE(fetcher.Wait({there}, Never).ok());  // blobs come in order: the first wish has failed
  downloader.Add("late");
  fetcher.Want({});
  fetcher.Want({digest});
  EXPECT_TRUE(fetcher.Wait({digest}, Never).ok());
}

TEST(BlobFetcherTest, ASlowDownloadTakesTurnsWithOthersAndKeepsWhatArrived) {
  FakeDownloader downloader;
  const std::string slow = downloader.AddSlow(std::string(1000, 's')), there = downloader.Add("there");
  BlobCache cache(1 << 20);
  BlobFetcher fetcher(&downloader, &cache, kRetry);
  fetcher.Want({slow, there});
  EXPECT_TRUE(fetcher.Wait({there}, Never).ok());
  EXPECT_EQ(cache.Get(slow), nullptr);
  EXPECT_TRUE(fetcher.Wait({slow}, Never).ok());
  EXPECT_EQ(downloader.calls(), 1001) << "every byte once";
}

TEST(BlobFetcherTest, WhatNobodyWantsAnyMoreIsNotFetched) {
  FakeDownloader downloader;
  const std::string slow = downloader.AddSlow(std::string(100'000, 's'));
  BlobCache cache(1 << 20);
  BlobFetcher fetcher(&downloader, &cache, kRetry);
  fetcher.Want({slow});
  EXPECT_TRUE(absl::IsCancelled(fetcher.Wait({slow}, [&] { return downloader.calls() > 2; }).status()));
  fetcher.Want({});
  for (const char* bytes : {"first", "second", "third"}) {
    ASSERT_TRUE(fetcher.Wait({downloader.Add(bytes)}, Never).ok());
  }
  const std::vector<size_t> offsets = downloader.offsets();
  ASSERT_GE(offsets.size(), 3u);
  EXPECT_EQ(std::vector<size_t>(offsets.end() - 2, offsets.end()), (std::vector<size_t>{0, 0})) << "nothing between";
  const int before = downloader.calls();
  fetcher.Want({slow});
  EXPECT_TRUE(absl::IsCancelled(fetcher.Wait({slow}, [&] { return downloader.calls() > before; }).status()));
  EXPECT_EQ(downloader.offsets()[static_cast<size_t>(before)], 0u) << "what arrived of it was forgotten";
}

TEST(BlobFetcherTest, WaitingCanBeGivenUp) {
  FakeDownloader downloader;
  const std::string digest = downloader.Add("late");
  for (int i = 0; i < 100'000; ++i) downloader.BreakAfter(0);
  BlobCache cache(1 << 20);
  BlobFetcher fetcher(&downloader, &cache, kRetry);
  int asked = 0;
  EXPECT_TRUE(absl::IsCancelled(fetcher.Wait({digest}, [&] { return ++asked > 3; }).status()));
}

TEST(BlobCacheTest, TheLeastRecentlyUsedGoFirstAndHeldOnesLive) {
  BlobCache cache(10);
  cache.Put("a", "1234");
  cache.Put("b", "1234");
  const Blob held = cache.Get("b");
  cache.Get("a");
  cache.Put("c", "1234");
  EXPECT_EQ(cache.Get("b"), nullptr);
  EXPECT_NE(cache.Get("a"), nullptr);
  EXPECT_NE(cache.Get("c"), nullptr);
  EXPECT_EQ(*held, "1234");
  EXPECT_LE(cache.size_bytes(), 10u);
}

}  // namespace
}  // namespace tunefleet::device
