// What waits to be written on a stream, one write at a time: the first is the one being written. Thread-safe.
#ifndef TUNEFLEET_TRACKER_SERVICE_WRITE_QUEUE_H_
#define TUNEFLEET_TRACKER_SERVICE_WRITE_QUEUE_H_

#include <cstddef>
#include <deque>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "common/mutex.h"

namespace tunefleet::tracker {

template <typename Item>
class WriteQueue {
 public:
  // True: nothing was being written, the caller writes the first.
  [[nodiscard]] bool Push(Item item) {
    common::MutexLock lock(&mutex_);
    items_.push_back(std::move(item));
    return items_.size() == 1;
  }

  // Of the writer alone, which has one.
  const Item& First() const {
    common::MutexLock lock(&mutex_);
    return items_.front();  // a deque moves nothing that stays in it
  }

  // The first is written. True: the caller writes the next.
  [[nodiscard]] bool Pop() {
    common::MutexLock lock(&mutex_);
    items_.pop_front();
    return !items_.empty();
  }

  size_t size() const {
    common::MutexLock lock(&mutex_);
    return items_.size();
  }

 private:
  mutable common::Mutex mutex_;
  std::deque<Item> items_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TRACKER_SERVICE_WRITE_QUEUE_H_
