#include "device_server/worker/mapped_buffers.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include "device_server/measure/buffer_file.h"
#include "device_server/worker/cache_flush.h"

namespace tunefleet::device {
namespace {

constexpr uint64_t kLineBytes = 256;  // no processor's is longer
constexpr uint64_t kBytes = 128 << 10;

int64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// Lines of a buffer as one chain in random order: every access waits for the one before, and none can be foreseen.
class Chain {
 public:
  explicit Chain(void* data) : links_(static_cast<uint64_t*>(data)) {
    std::vector<uint64_t> order(kBytes / kLineBytes);
    std::iota(order.begin(), order.end(), uint64_t{0});
    std::shuffle(order.begin() + 1, order.end(), std::mt19937(1));
    for (size_t i = 0; i < order.size(); ++i) {
      links_[order[i] * kStride] = order[(i + 1) % order.size()] * kStride;
    }
  }
  int64_t Walk() const {
    uint64_t at = 0;
    const int64_t begin = NowNs();
    for (uint64_t i = 0; i < kBytes / kLineBytes; ++i) {
      at = links_[at];
      asm volatile("" : "+r"(at));
    }
    return NowNs() - begin;
  }

 private:
  static constexpr uint64_t kStride = kLineBytes / sizeof(uint64_t);
  uint64_t* const links_;
};

// Outputs and workspace of one kernel, mapped into this process.
struct Mapped {
  Mapped() {
    v1::BufferSpec spec;
    spec.set_size_bytes(kBytes);
    spec.set_alignment(64);
    KernelSpec kernel;
    kernel.num_buffers = 1;
    kernel.num_sets = 1;
    std::vector<UniqueFd> fds;
    for (BufferMapping* const mapping : {&kernel.buffers[0][0], &kernel.workspace}) {
      files.push_back(*BufferFile::Create(spec, BufferLayout::kEndsAtGuard));
      *mapping = {.file_bytes = kBytes,
                  .offset = 0,
                  .size = kBytes,
                  .fd_index = static_cast<uint32_t>(fds.size()),
                  .role = v1::BUFFER_ROLE_OUTPUT};
      fds.emplace_back(fcntl(files.back()->fd(), F_DUPFD_CLOEXEC, 0));
    }
    ok = buffers.Map(kernel, fds);
  }

  std::vector<std::unique_ptr<BufferFile>> files;
  MappedBuffers buffers;
  bool ok = false;
};

// No time is expected, only that memory is far slower than a cache of the core's own: by ten times and more where the
// best of many walks is taken of each.
TEST(MappedBuffersTest, WhatIsFlushedComesFromMemoryAgain) {
  if (!CanFlushCaches()) GTEST_SKIP() << "lines cannot be flushed on this architecture";
  Mapped mapped;
  ASSERT_TRUE(mapped.ok);
  for (void* const data : {mapped.buffers.buffers(0)[0], mapped.buffers.workspace()}) {
    const Chain chain(data);
    int64_t cached = std::numeric_limits<int64_t>::max(), flushed = cached;
    for (int i = 0; i < 50; ++i) {
      chain.Walk();
      cached = std::min(cached, chain.Walk());
      mapped.buffers.FlushFromCaches(0);
      flushed = std::min(flushed, chain.Walk());
    }
    EXPECT_GT(flushed, 3 * cached);
  }
}

}  // namespace
}  // namespace tunefleet::device
