#include "tracker/service/serial_executor.h"

#include <utility>

#include "common/clock.h"

namespace tunefleet::tracker {

SerialExecutor::SerialExecutor(absl::Duration period, std::function<void()> periodic)
    : period_(period), periodic_(std::move(periodic)), thread_([this] { Run(); }) {}

SerialExecutor::~SerialExecutor() { Stop(); }

void SerialExecutor::Post(std::function<void()> function) {
  common::MutexLock lock(&mutex_);
  if (stopping_) return;
  queue_.push_back(std::move(function));
  changed_.Signal();
}

void SerialExecutor::Stop() {
  {
    common::MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.Signal();
  }
  if (thread_.joinable()) thread_.join();
}

void SerialExecutor::Run() {
  const common::Clock& clock = common::MonotonicClock();
  absl::Time next_period = clock.Now() + period_;
  while (true) {
    std::deque<std::function<void()>> functions;
    {
      common::MutexLock lock(&mutex_);
      while (queue_.empty() && !stopping_ && clock.Now() < next_period) {
        if (next_period == absl::InfiniteFuture()) {
          changed_.Wait(&mutex_);
        } else {
          changed_.WaitWithTimeout(&mutex_, next_period - clock.Now());
        }
      }
      functions.swap(queue_);
      if (functions.empty() && stopping_) return;
    }
    for (std::function<void()>& function : functions) {
      function();
      function = nullptr;  // what it holds ends before the next runs
    }
    if (clock.Now() >= next_period) {
      periodic_();
      next_period = clock.Now() + period_;
    }
  }
}

}  // namespace tunefleet::tracker
