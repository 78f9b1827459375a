#include "tracker/store/store.h"

#include <utility>

#include "common/status_macros.h"

namespace tunefleet::tracker {

absl::StatusOr<std::unique_ptr<Store>> Store::Open(const std::string& directory) {
  TF_ASSIGN_OR_RETURN(std::unique_ptr<StateLock> lock, StateLock::Acquire(directory));
  TF_ASSIGN_OR_RETURN(std::unique_ptr<Database> database, Database::Open(directory + "/tracker.db"));
  return std::unique_ptr<Store>(new Store(std::move(lock), std::move(database)));
}

Store::~Store() { Stop(); }

void Store::Start(OnDurable on_durable) {
  on_durable_ = std::move(on_durable);
  thread_ = std::thread([this] { Run(); });
}

void Store::Enqueue(Commit commit) {
  common::MutexLock lock(&mutex_);
  queue_.push_back(std::move(commit));
  changed_.Signal();
}

void Store::Stop() {
  {
    common::MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.Signal();
  }
  if (thread_.joinable()) thread_.join();
}

void Store::Run() {
  while (true) {
    std::vector<Commit> commits;
    {
      common::MutexLock lock(&mutex_);
      while (queue_.empty() && !stopping_) changed_.Wait(&mutex_);
      if (queue_.empty()) return;
      commits.swap(queue_);
    }
    if (absl::Status status = database_->Apply(commits); !status.ok()) return on_durable_(status);
    on_durable_(commits.back().number);
  }
}

}  // namespace tunefleet::tracker
