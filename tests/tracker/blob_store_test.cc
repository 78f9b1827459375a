#include "tracker/blobs/blob_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "common/digest.h"
#include "tests/support/temp_dir.h"

namespace tunefleet::tracker {
namespace {

using common::Sha256;

std::unique_ptr<BlobStore> OpenStore(const TempDir& dir, uint64_t max_bytes = 1 << 20) {
  return std::move(BlobStore::Open(dir / "blobs", max_bytes)).value();
}

absl::Status Put(BlobStore* store, const std::string& data) {
  auto writer = store->Write(Sha256(data), data.size(), 0);
  if (!writer.ok()) return writer.status();
  if ((*writer)->complete()) return absl::OkStatus();
  absl::Status status = (*writer)->Write(data);
  return status.ok() ? (*writer)->Finish() : status;
}

std::string Get(BlobStore* store, const std::string& digest) {
  const auto reader = store->Read(digest);
  return reader.ok() ? *(*reader)->Read(0, 1 << 20) : "(none)";
}

std::vector<std::string> List(const std::string& digest) { return {digest}; }

TEST(BlobStoreTest, BlobIsReadBackAndSurvivesReopening) {
  TempDir dir;
  const std::string data(100000, 'a');
  {
    auto store = OpenStore(dir);
    EXPECT_EQ(store->Read(Sha256(data)).status().code(), absl::StatusCode::kNotFound);
    ASSERT_TRUE(Put(store.get(), data).ok());
    EXPECT_TRUE(Put(store.get(), data).ok()) << "again: nothing to do";
  }
  auto store = OpenStore(dir);
  EXPECT_EQ(Get(store.get(), Sha256(data)), data);
  EXPECT_TRUE(store->Status(Sha256(data)).complete);
}

TEST(BlobStoreTest, UploadResumesAfterABrokenConnectionAndAfterARestart) {
  TempDir dir;
  const std::string data = "0123456789";
  const std::string digest = Sha256(data);
  {
    auto store = OpenStore(dir);
    ASSERT_TRUE((*store->Write(digest, 10, 0))->Write("012").ok());
    EXPECT_EQ(store->Status(digest).size_bytes, 3u);
    EXPECT_EQ(store->Write(digest, 10, 5).status().code(), absl::StatusCode::kInvalidArgument);
    ASSERT_TRUE((*store->Write(digest, 10, 3))->Write("345").ok());
  }
  auto store = OpenStore(dir);
  EXPECT_FALSE(store->Status(digest).complete);
  ASSERT_EQ(store->Status(digest).size_bytes, 6u);
  auto writer = *store->Write(digest, 10, 6);
  ASSERT_TRUE(writer->Write("6789").ok());
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_EQ(Get(store.get(), digest), data);
}

TEST(BlobStoreTest, WrongContentIsThrownAwayAndTheUploadStartsOver) {
  TempDir dir;
  auto store = OpenStore(dir);
  const std::string digest = Sha256("right");
  auto writer = *store->Write(digest, 5, 0);
  ASSERT_TRUE(writer->Write("wrong").ok());
  EXPECT_EQ(writer->Finish().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(store->Status(digest).size_bytes, 0u);
  EXPECT_TRUE(Put(store.get(), "right").ok());
}

TEST(BlobStoreTest, DataPastTheTotalIsRefused) {
  TempDir dir;
  auto store = OpenStore(dir);
  auto writer = *store->Write(Sha256("abc"), 3, 0);
  EXPECT_EQ(writer->Write("abcd").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(writer->Finish().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(store->Write(Sha256("abc"), kMaxBlobBytes + 1, 0).ok());
  EXPECT_FALSE(store->Write(Sha256("abc"), 0, 0).ok());
}

TEST(BlobStoreTest, NewestWriterTakesOver) {
  TempDir dir;
  auto store = OpenStore(dir);
  const std::string digest = Sha256("abcdef");
  auto first = *store->Write(digest, 6, 0);
  ASSERT_TRUE(first->Write("abc").ok());
  auto second = *store->Write(digest, 6, 3);
  EXPECT_EQ(first->Write("def").code(), absl::StatusCode::kAborted);
  ASSERT_TRUE(second->Write("def").ok());
  EXPECT_TRUE(second->Finish().ok());
  EXPECT_EQ(Get(store.get(), digest), "abcdef");
}

TEST(BlobStoreTest, LeastRecentlyUsedIsEvictedAndPinnedBlobsNever) {
  TempDir dir;
  auto store = OpenStore(dir, 300);
  const std::string a(100, 'a'), b(100, 'b'), c(100, 'c'), d(100, 'd'), e(200, 'e');
  for (const std::string& data : {a, b, c}) ASSERT_TRUE(Put(store.get(), data).ok());
  ASSERT_TRUE(store->Pin(List(Sha256(a))).empty());
  Get(store.get(), Sha256(b));  // c is now the least recently used unpinned one
  ASSERT_TRUE(Put(store.get(), d).ok());
  EXPECT_FALSE(store->Status(Sha256(c)).complete);
  EXPECT_EQ(Get(store.get(), Sha256(a)), a);
  EXPECT_EQ(Get(store.get(), Sha256(b)), b);
  EXPECT_EQ(store->Pin(std::vector<std::string>{Sha256(b), Sha256(c)}), List(Sha256(c))) << "all or none";
  ASSERT_TRUE(store->Pin(List(Sha256(b))).empty());
  EXPECT_EQ(Put(store.get(), e).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(store->Status(Sha256(d)).complete) << "a refused upload evicts nothing";
  store->Unpin(List(Sha256(b)));
  EXPECT_TRUE(Put(store.get(), e).ok());
  EXPECT_EQ(Get(store.get(), Sha256(a)), a);
}

TEST(BlobStoreTest, PinsCount) {
  TempDir dir;
  auto store = OpenStore(dir, 100);
  const std::string a(100, 'a'), b(100, 'b');
  ASSERT_TRUE(Put(store.get(), a).ok());
  ASSERT_TRUE(store->Pin(List(Sha256(a))).empty());
  ASSERT_TRUE(store->Pin(List(Sha256(a))).empty());
  store->Unpin(List(Sha256(a)));
  EXPECT_FALSE(Put(store.get(), b).ok());
  store->Unpin(List(Sha256(a)));
  EXPECT_TRUE(Put(store.get(), b).ok());
}

TEST(BlobStoreTest, AbandonedUploadMakesRoomForOthers) {
  TempDir dir;
  auto store = OpenStore(dir, 100);
  ASSERT_TRUE((*store->Write(Sha256("x"), 100, 0))->Write("x").ok());
  EXPECT_TRUE(Put(store.get(), std::string(100, 'b')).ok());
  EXPECT_EQ(store->Status(Sha256("x")).size_bytes, 0u);
}

TEST(BlobStoreTest, ReaderOutlivesEviction) {
  TempDir dir;
  auto store = OpenStore(dir, 100);
  const std::string a(100, 'a'), b(100, 'b');
  ASSERT_TRUE(Put(store.get(), a).ok());
  const auto reader = *store->Read(Sha256(a));
  ASSERT_TRUE(Put(store.get(), b).ok());
  EXPECT_EQ(*reader->Read(0, 1000), a);
}

TEST(BlobStoreTest, StrayFilesAreNoBlobs) {
  TempDir dir;
  std::filesystem::create_directories(dir / "blobs/ab");
  const std::string name = dir / "blobs/ab/not-a-digest";
  std::filesystem::copy_file("/proc/self/status", name);
  auto store = OpenStore(dir);
  EXPECT_TRUE(Put(store.get(), "x").ok());
  EXPECT_TRUE(std::filesystem::exists(name));
}

TEST(BlobStoreTest, ThreadsShareAStoreThatIsTooSmallForAll) {
  TempDir dir;
  auto store = OpenStore(dir, 3000);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&store, t] {
      for (int i = 0; i < 60; ++i) {
        const std::string data(400 + (i * 7 + t) % 10, static_cast<char>('a' + (i + t) % 9));
        (void)Put(store.get(), data);  // may be taken over, or find no room
        const std::string got = Get(store.get(), Sha256(data));
        EXPECT_TRUE(got == data || got == "(none)");
        if (store->Pin(List(Sha256(data))).empty()) {
          EXPECT_EQ(Get(store.get(), Sha256(data)), data);
          store->Unpin(List(Sha256(data)));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace tunefleet::tracker
