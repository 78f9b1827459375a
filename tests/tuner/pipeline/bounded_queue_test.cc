#include "tuner/pipeline/bounded_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <thread>

namespace tunefleet::tuner {
namespace {

TEST(BoundedQueueTest, EveryItemComesOutOnceAndTheQueueStaysBounded) {
  BoundedQueue<int> queue(4);
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::vector<std::vector<int>> taken(3);
  std::vector<std::jthread> consumers;
  for (std::vector<int>& mine : taken) {
    consumers.emplace_back([&] {
      while (const auto item = queue.Pop()) {
        --inside;
        mine.push_back(*item);
      }
    });
  }
  {
    std::vector<std::jthread> producers;
    for (int p = 0; p < 2; ++p) {
      producers.emplace_back([&, p] {
        for (int i = 0; i < 500; ++i) {
          ASSERT_TRUE(queue.Push(p * 500 + i));
          int now = ++inside;
          for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
          }
        }
      });
    }
  }
  queue.Close();
  consumers.clear();
  std::vector<int> all;
  for (const auto& mine : taken) all.insert(all.end(), mine.begin(), mine.end());
  std::sort(all.begin(), all.end());
  std::vector<int> expected(1000);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(all, expected);
  EXPECT_LE(most, 4 + 3);  // a consumer counts down only after it has taken
}

TEST(BoundedQueueTest, ClosedQueueGivesOutWhatItHolds) {
  BoundedQueue<int> queue(4);
  EXPECT_TRUE(queue.Push(1));
  queue.Close();
  EXPECT_FALSE(queue.Push(2));
  EXPECT_EQ(queue.Pop(), 1);
  EXPECT_EQ(queue.Pop(), std::nullopt);
}

TEST(BoundedQueueTest, CancelReleasesAWaitingProducerAndDropsTheItems) {
  BoundedQueue<int> queue(1);
  EXPECT_TRUE(queue.Push(1));
  std::jthread producer([&] { EXPECT_FALSE(queue.Push(2)); });
  queue.Cancel();
  producer.join();
  EXPECT_EQ(queue.Pop(), std::nullopt);
}

TEST(BoundedQueueTest, DrainTakesAllWithoutWaiting) {
  BoundedQueue<int> queue(4);
  EXPECT_TRUE(queue.Drain().empty());
  EXPECT_TRUE(queue.Push(1));
  EXPECT_TRUE(queue.Push(2));
  EXPECT_EQ(queue.Drain(), (std::vector<int>{1, 2}));
}

}  // namespace
}  // namespace tunefleet::tuner
