// The pinned pool behind tf_runtime::parallel_for. The calling thread takes part; the others spin for a while between
// launches and then sleep, so that a launch on a busy pool costs well under a microsecond. Each thread has a share of
// neighbouring tasks, the same in every launch of as many, so that what a task touches stays in the caches of its core;
// then it helps the others. A launch waits for its tasks, not for the threads: one that comes late, or is not scheduled
// at all, holds up nobody.
//
// One launch at a time, from the thread that made the pool; a launch from inside a task runs serially. The pool's
// threads never end before the process does: a worker process is killed, not joined.
#ifndef TUNEFLEET_DEVICE_SERVER_WORKER_THREAD_POOL_H_
#define TUNEFLEET_DEVICE_SERVER_WORKER_THREAD_POOL_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "common/kernel_abi.h"

namespace tunefleet::device {

class ThreadPool {
 public:
  // `cores` may be empty (not pinned) and is used round robin. `on_thread_start` runs first on each thread made,
  // and on all of them before the constructor returns.
  ThreadPool(uint32_t num_threads, std::span<const uint16_t> cores, std::function<void()> on_thread_start);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  const tf_runtime* runtime() const { return &runtime_; }

  // True when every thread asked for could be started.
  bool complete() const { return started_ + 1 == runtime_.num_threads; }

  // True when every thread, the caller among them, is on its core and no other.
  bool pinned() const { return pinned_; }

  void ParallelFor(int64_t count, tf_task task, void* argument);

  // Runs `task` once on every thread, the caller's among them.
  void OnEveryThread(void (*task)());

 private:
  // A launch in the upper half, the unclaimed tasks of one thread's share in the lower. A task is claimed by counting
  // down, which fails for a thread that still has an earlier launch in mind; so what it read of the launch was
  // unchanged.
  struct alignas(64) Share {
    std::atomic<uint64_t> unclaimed{0};
  };

  void ThreadMain(uint32_t thread);
  void RunTasks(uint32_t thread, uint32_t launch);
  int64_t RunShare(uint32_t owner, uint32_t launch);
  uint32_t WaitForLaunch(uint32_t seen);

  tf_runtime runtime_ = {};
  std::function<void()> on_thread_start_;
  uint32_t started_ = 0;
  std::atomic<bool> pinned_{true};  // settled when the constructor returns
  std::atomic<uint32_t> ready_{0};
  std::vector<Share> shares_;  // per thread, the caller's first
  alignas(64) std::atomic<int64_t> count_{0};
  std::atomic<tf_task> task_{nullptr};
  std::atomic<void*> argument_{nullptr};
  std::atomic<uint32_t> launch_{0};  // what idle threads wait on
  std::atomic<uint32_t> sleepers_{0};
  alignas(64) std::atomic<int64_t> done_{0};
};

// Pins the calling thread. False when the machine refuses.
bool PinThisThread(uint16_t core);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_WORKER_THREAD_POOL_H_
