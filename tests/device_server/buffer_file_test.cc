#include "device_server/measure/buffer_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include "device_server/measure/fill_cache.h"

namespace tunefleet::device {
namespace {

v1::BufferSpec Spec(uint64_t size, uint32_t alignment) {
  v1::BufferSpec spec;
  spec.set_size_bytes(size);
  spec.set_alignment(alignment);
  return spec;
}

class NoBlobs : public BlobSource {
 public:
  absl::StatusOr<Blob> Get(absl::string_view) const override { return absl::NotFoundError("none"); }
};

TEST(BufferFileTest, DataEndsAtTheGuardAsFarAsItsAlignmentPermits) {
  EXPECT_EQ(LayoutOffset(Spec(4000, 16), BufferLayout::kEndsAtGuard), 96u);
  EXPECT_EQ(LayoutOffset(Spec(4000, 64), BufferLayout::kEndsAtGuard), 64u);
  EXPECT_EQ(LayoutOffset(Spec(4000, 4096), BufferLayout::kEndsAtGuard), 0u);
  EXPECT_EQ(LayoutOffset(Spec(4096, 16), BufferLayout::kEndsAtGuard), 0u);
  EXPECT_EQ(LayoutOffset(Spec(4000, 16), BufferLayout::kStartsAtGuard), 0u);
  EXPECT_EQ(LayoutFileBytes(Spec(4097, 1)), 8192u);
}

TEST(BufferFileTest, TheCanaryNoticesAByteOnEitherSide) {
  for (const int64_t at : {-1, 4000}) {
    auto file = BufferFile::Create(Spec(4000, 64), BufferLayout::kEndsAtGuard);
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_TRUE((*file)->CanaryIntact());
    (*file)->data().data()[at] = std::byte{1};
    EXPECT_FALSE((*file)->CanaryIntact());
  }
}

TEST(BufferFileTest, ASealedFileCannotBeMappedForWritingByOthers) {
  auto file = BufferFile::Create(Spec(4000, 64), BufferLayout::kEndsAtGuard);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->SealForReaders().ok());
  EXPECT_EQ(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, (*file)->fd(), 0), MAP_FAILED);
  (*file)->data()[0] = std::byte{7};  // the owner goes on writing, the reader sees it
  void* const reader = mmap(nullptr, 4096, PROT_READ, MAP_SHARED, (*file)->fd(), 0);
  ASSERT_NE(reader, MAP_FAILED);
  EXPECT_EQ(static_cast<std::byte*>(reader)[(*file)->offset()], std::byte{7});
  EXPECT_NE(mprotect(reader, 4096, PROT_READ | PROT_WRITE), 0);
  munmap(reader, 4096);
  EXPECT_EQ(fcntl((*file)->fd(), F_GET_SEALS) & ~(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0)
      << "systems before Linux 5.1 know no seal against writing alone";
}

TEST(FillCacheTest, EqualFillsShareMemoryAndTheBoundHolds) {
  FillCache cache(3 * 4096);
  const NoBlobs blobs;
  v1::BufferFill fill;
  fill.set_dtype(v1::DATA_TYPE_FLOAT32);
  fill.set_seed(1);
  const auto first = cache.Get(fill, Spec(4000, 64), BufferLayout::kEndsAtGuard, blobs);
  ASSERT_TRUE(first.ok()) << first.status();
  fill.set_buffer(3);
  const auto same = cache.Get(fill, Spec(4000, 64), BufferLayout::kEndsAtGuard, blobs);
  EXPECT_EQ(first->get(), same->get()) << "which buffer it is does not matter";
  EXPECT_NE(first->get(), cache.Get(fill, Spec(4000, 64), BufferLayout::kStartsAtGuard, blobs)->get());
  for (uint64_t seed = 2; seed < 20; ++seed) {
    fill.set_seed(seed);
    ASSERT_TRUE(cache.Get(fill, Spec(4000, 64), BufferLayout::kEndsAtGuard, blobs).ok());
    EXPECT_LE(cache.size_bytes(), 3u * 4096);
  }
  fill.set_blob_digest("gone");
  EXPECT_FALSE(cache.Get(fill, Spec(4000, 64), BufferLayout::kEndsAtGuard, blobs).ok());
}

}  // namespace
}  // namespace tunefleet::device
