#include "device_server/worker/thread_pool.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <span>
#include <thread>
#include <vector>

#include "device_server/describe/cpu_list.h"

namespace tunefleet::device {
namespace {

struct Counts {
  std::vector<std::atomic<int>> calls;
  explicit Counts(size_t size) : calls(size) {}
};

void CountCall(void* argument, int64_t index) { ++static_cast<Counts*>(argument)->calls[static_cast<size_t>(index)]; }

// Pools are never destroyed: their threads live as long as the process. The list keeps them reachable for leak
// checkers.
ThreadPool* MakePool(uint32_t threads, std::span<const uint16_t> cores = {}) {
  static auto* const pools = new std::vector<ThreadPool*>;
  return pools->emplace_back(new ThreadPool(threads, cores, nullptr));
}

TEST(ThreadPoolTest, EveryIndexRunsExactlyOnceInEveryLaunch) {
  for (const uint32_t threads : {1u, 2u, 4u}) {
    ThreadPool* const pool = MakePool(threads);
    ASSERT_TRUE(pool->complete());
    for (int launch = 0; launch < 2000; ++launch) {
      const int64_t count = launch % 7;
      Counts counts(7);
      pool->runtime()->parallel_for(pool->runtime(), count, CountCall, &counts);
      for (int64_t i = 0; i < 7; ++i) ASSERT_EQ(counts.calls[static_cast<size_t>(i)], i < count ? 1 : 0);
    }
  }
}

TEST(ThreadPoolTest, TheSameTasksGoToTheSameThreadInEveryLaunch) {
  constexpr int64_t kThreads = 4;
  constexpr int64_t kTasks = 3 * kThreads;
  struct Launch {
    std::atomic<int64_t> here{0};
    std::atomic<std::thread::id> ran_by[kTasks] = {};
  };
  ThreadPool* const pool = MakePool(kThreads);
  // The first task of every thread waits for all of them, so that nobody is there to help before.
  const tf_task task = [](void* argument, int64_t index) {
    Launch* const launch = static_cast<Launch*>(argument);
    launch->ran_by[index] = std::this_thread::get_id();
    if (index % 3 != 0) return;
    ++launch->here;
    while (launch->here != kThreads) std::this_thread::yield();
  };
  Launch first;
  pool->ParallelFor(kTasks, task, &first);
  for (int i = 0; i < 100; ++i) {
    Launch again;
    pool->ParallelFor(kTasks, task, &again);
    for (int64_t t = 0; t < kTasks; t += 3) ASSERT_EQ(again.ran_by[t].load(), first.ran_by[t].load());
  }
}

std::atomic<int> g_turns{0};
thread_local int t_turns = 0;

TEST(ThreadPoolTest, EveryThreadTakesOneTurn) {
  for (const uint32_t threads : {1u, 2u, 5u}) {
    ThreadPool* const pool = MakePool(threads);
    g_turns = 0;
    t_turns = 0;
    for (int round = 1; round <= 50; ++round) {
      pool->OnEveryThread([] {
        ++g_turns;
        ++t_turns;
      });
      ASSERT_EQ(g_turns, round * static_cast<int>(threads));
      ASSERT_EQ(t_turns, round) << "the caller's own";
    }
  }
}

TEST(ThreadPoolTest, ALaunchFromInsideATaskRunsSerially) {
  struct Nested {
    const tf_runtime* runtime;
    Counts counts{8};
  };
  ThreadPool* const pool = MakePool(3);
  Nested nested{pool->runtime()};
  pool->ParallelFor(
      4,
      [](void* argument, int64_t) {
        Nested* const n = static_cast<Nested*>(argument);
        n->runtime->parallel_for(n->runtime, 8, CountCall, &n->counts);
      },
      &nested);
  for (const auto& calls : nested.counts.calls) EXPECT_EQ(calls, 4);
}

TEST(ThreadPoolTest, WritesOfTasksAreSeenAfterTheLaunch) {
  ThreadPool* const pool = MakePool(4);
  std::vector<int64_t> squares(100);
  for (int launch = 0; launch < 100; ++launch) {
    std::fill(squares.begin(), squares.end(), 0);
    pool->ParallelFor(
        100, [](void* argument, int64_t i) { static_cast<int64_t*>(argument)[i] = i * i; }, squares.data());
    for (int64_t i = 0; i < 100; ++i) ASSERT_EQ(squares[static_cast<size_t>(i)], i * i);
  }
}

TEST(ThreadPoolTest, TheRuntimeSaysHowManyThreadsThereAre) {
  ThreadPool* const pool = MakePool(3);
  EXPECT_EQ(pool->runtime()->num_threads, 3u);
  EXPECT_EQ(pool->runtime()->abi_version, static_cast<uint32_t>(TF_ABI_VERSION));
}

TEST(ThreadPoolTest, TellsWhetherEveryThreadIsOnItsCore) {
  const uint16_t there = UsableCores().front();
  constexpr uint16_t kNowhere = CPU_SETSIZE - 1;
  bool pinned = false, caller_not = true, other_not = true, none = true;
  std::thread([&] {  // pools pin their caller
    pinned = MakePool(2, std::vector<uint16_t>{there, there})->pinned();
    caller_not = MakePool(2, std::vector<uint16_t>{kNowhere, there})->pinned();
    other_not = MakePool(2, std::vector<uint16_t>{there, kNowhere})->pinned();
    none = MakePool(2)->pinned();
  })
      .join();
  EXPECT_TRUE(pinned);
  EXPECT_FALSE(caller_not);
  EXPECT_FALSE(other_not);
  EXPECT_FALSE(none);
}

}  // namespace
}  // namespace tunefleet::device
