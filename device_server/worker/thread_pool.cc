#include "device_server/worker/thread_pool.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <limits>
#include <system_error>
#include <thread>
#include <utility>

namespace tunefleet::device {
namespace {

// About a millisecond: longer than the serial gap between two launches of one kernel.
constexpr int kSpins = 20'000;
// The caller waits for stragglers this many turns before it offers its core to them.
constexpr int kSpinsBeforeYield = 4'000;

thread_local bool t_inside_task = false;

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// The first of `count` tasks that belongs to thread `thread`.
int64_t BeginOfShare(int64_t count, size_t thread, size_t threads) {
  return count * static_cast<int64_t>(thread) / static_cast<int64_t>(threads);
}

void FutexWait(std::atomic<uint32_t>* word, uint32_t expected) {
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(word), FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}

void FutexWakeAll(std::atomic<uint32_t>* word) {
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(word), FUTEX_WAKE_PRIVATE, 1 << 30, nullptr, nullptr, 0);
}

}  // namespace

bool PinThisThread(uint16_t core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  return sched_setaffinity(0, sizeof(set), &set) == 0;
}

ThreadPool::ThreadPool(uint32_t num_threads, std::span<const uint16_t> cores, std::function<void()> on_thread_start)
    : on_thread_start_(std::move(on_thread_start)), shares_(num_threads) {
  runtime_.abi_version = TF_ABI_VERSION;
  runtime_.num_threads = num_threads;
  runtime_.context = this;
  runtime_.parallel_for = [](const tf_runtime* runtime, int64_t count, tf_task task, void* argument) {
    static_cast<ThreadPool*>(runtime->context)->ParallelFor(count, task, argument);
  };
  if (cores.empty() || !PinThisThread(cores[0])) pinned_ = false;
  for (uint32_t i = 1; i < num_threads; ++i) {
    const int core = cores.empty() ? -1 : cores[i % cores.size()];
    try {
      std::thread([this, core, i] {
        if (core >= 0 && !PinThisThread(static_cast<uint16_t>(core))) pinned_ = false;
        ThreadMain(i);
      }).detach();
    } catch (const std::system_error&) {
      break;
    }
    ++started_;
  }
  while (ready_.load(std::memory_order_acquire) != started_) sched_yield();
}

uint32_t ThreadPool::WaitForLaunch(uint32_t seen) {
  for (int spin = 0; spin < kSpins; ++spin) {
    const uint32_t now = launch_.load(std::memory_order_acquire);
    if (now != seen) return now;
    Pause();
  }
  while (true) {
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    FutexWait(&launch_, seen);  // returns at once when a launch came in between
    sleepers_.fetch_sub(1, std::memory_order_seq_cst);
    const uint32_t now = launch_.load(std::memory_order_acquire);
    if (now != seen) return now;
  }
}

int64_t ThreadPool::RunShare(uint32_t owner, uint32_t launch) {
  std::atomic<uint64_t>& unclaimed = shares_[owner].unclaimed;
  int64_t ran = 0;
  uint64_t state = unclaimed.load(std::memory_order_acquire);
  while (static_cast<uint32_t>(state >> 32) == launch && static_cast<uint32_t>(state) != 0) {
    const int64_t end = BeginOfShare(count_.load(std::memory_order_relaxed), owner + 1, shares_.size());
    const tf_task task = task_.load(std::memory_order_relaxed);
    void* const argument = argument_.load(std::memory_order_relaxed);
    if (!unclaimed.compare_exchange_weak(state, state - 1, std::memory_order_acq_rel, std::memory_order_acquire)) {
      continue;
    }
    task(argument, end - static_cast<uint32_t>(state));
    ++ran;
    state = unclaimed.load(std::memory_order_acquire);
  }
  return ran;
}

void ThreadPool::RunTasks(uint32_t thread, uint32_t launch) {
  const auto threads = static_cast<uint32_t>(shares_.size());
  t_inside_task = true;
  int64_t ran = 0;
  for (uint32_t i = 0; i < threads; ++i) ran += RunShare((thread + i) % threads, launch);
  t_inside_task = false;
  if (ran > 0) done_.fetch_add(ran, std::memory_order_release);
}

void ThreadPool::ThreadMain(uint32_t thread) {
  if (on_thread_start_) on_thread_start_();
  ready_.fetch_add(1, std::memory_order_release);
  uint32_t seen = 0;
  while (true) {
    seen = WaitForLaunch(seen);
    RunTasks(thread, seen);
  }
}

void ThreadPool::ParallelFor(int64_t count, tf_task task, void* argument) {
  if (count <= 0) return;
  if (t_inside_task || started_ == 0 || count > std::numeric_limits<uint32_t>::max()) {
    for (int64_t i = 0; i < count; ++i) task(argument, i);
    return;
  }
  const uint32_t launch = launch_.load(std::memory_order_relaxed) + 1;
  count_.store(count, std::memory_order_relaxed);
  task_.store(task, std::memory_order_relaxed);
  argument_.store(argument, std::memory_order_relaxed);
  done_.store(0, std::memory_order_relaxed);
  for (size_t i = 0; i < shares_.size(); ++i) {
    const int64_t size = BeginOfShare(count, i + 1, shares_.size()) - BeginOfShare(count, i, shares_.size());
    shares_[i].unclaimed.store(static_cast<uint64_t>(launch) << 32 | static_cast<uint64_t>(size),
                               std::memory_order_release);
  }
  launch_.store(launch, std::memory_order_seq_cst);
  if (sleepers_.load(std::memory_order_seq_cst) > 0) FutexWakeAll(&launch_);
  RunTasks(0, launch);
  for (int spin = 0; done_.load(std::memory_order_acquire) != count; ++spin) {
    if (spin < kSpinsBeforeYield) {
      Pause();
    } else {
      sched_yield();
    }
  }
}

void ThreadPool::OnEveryThread(void (*task)()) {
  struct RollCall {
    void (*const task)();
    const int64_t all;
    std::atomic<int64_t> here{0};
  };
  RollCall roll{.task = task, .all = started_ + 1};
  // Who waits for the others takes no second turn.
  const tf_task answer = [](void* argument, int64_t) {
    RollCall* const call = static_cast<RollCall*>(argument);
    call->task();
    call->here.fetch_add(1, std::memory_order_acq_rel);
    while (call->here.load(std::memory_order_acquire) != call->all) sched_yield();
  };
  ParallelFor(roll.all, answer, &roll);
}

}  // namespace tunefleet::device
