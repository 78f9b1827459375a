// A queue between two stages of the pipeline. Thread-safe. A full queue makes its producers wait, an empty one its
// consumers.
#ifndef TUNEFLEET_TUNER_PIPELINE_BOUNDED_QUEUE_H_
#define TUNEFLEET_TUNER_PIPELINE_BOUNDED_QUEUE_H_

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "common/mutex.h"

namespace tunefleet::tuner {

template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t capacity) : capacity_(capacity) {}

  // False when the queue is closed: the item is dropped.
  bool Push(T item) {
    common::MutexLock lock(&mutex_);
    while (!closed_ && items_.size() >= capacity_) room_.Wait(&mutex_);
    if (closed_) return false;
    items_.push_back(std::move(item));
    filled_.Signal();
    return true;
  }

  // Nullopt when the queue is closed and empty.
  std::optional<T> Pop() {
    common::MutexLock lock(&mutex_);
    while (!closed_ && items_.empty()) filled_.Wait(&mutex_);
    if (items_.empty()) return std::nullopt;
    std::optional<T> item = std::move(items_.front());
    items_.pop_front();
    room_.Signal();
    return item;
  }

  // Everything in it, without waiting.
  std::vector<T> Drain() {
    common::MutexLock lock(&mutex_);
    std::vector<T> items(std::make_move_iterator(items_.begin()), std::make_move_iterator(items_.end()));
    items_.clear();
    room_.SignalAll();
    return items;
  }

  // Nothing goes in any more; what is in it still comes out.
  void Close() {
    common::MutexLock lock(&mutex_);
    closed_ = true;
    room_.SignalAll();
    filled_.SignalAll();
  }

  // Closes the queue and drops what is in it.
  void Cancel() {
    Close();
    Drain();
  }

 private:
  const size_t capacity_;
  common::Mutex mutex_;
  common::CondVar room_;
  common::CondVar filled_;
  std::deque<T> items_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_PIPELINE_BOUNDED_QUEUE_H_
