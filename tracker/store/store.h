// Makes commits durable on a thread of its own. Group commit: one transaction takes everything that is queued.
//
// Holds the state directory's lock and the database in it. Thread-safe.
#ifndef TUNEFLEET_TRACKER_STORE_STORE_H_
#define TUNEFLEET_TRACKER_STORE_STORE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/mutex.h"
#include "tracker/core/commit.h"
#include "tracker/store/database.h"
#include "tracker/store/state_lock.h"

namespace tunefleet::tracker {

class Store {
 public:
  // Called on the store's thread: every commit up to this number is durable; or why the store has failed (once, the
  // last call: nothing more will be stored).
  using OnDurable = std::function<void(absl::StatusOr<uint64_t>)>;

  // Errors: those of StateLock::Acquire and Database::Open.
  static absl::StatusOr<std::unique_ptr<Store>> Open(const std::string& directory);
  // Stops.
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Before Start.
  absl::StatusOr<Snapshot> Load() { return database_->Load(); }

  // Starts the thread. Call once.
  void Start(OnDurable on_durable);
  // Queues a commit. Numbers rise.
  void Enqueue(Commit commit);
  // Stores what is queued, then ends the thread.
  void Stop();

 private:
  Store(std::unique_ptr<StateLock> lock, std::unique_ptr<Database> database)
      : lock_(std::move(lock)), database_(std::move(database)) {}
  void Run();

  const std::unique_ptr<StateLock> lock_;
  const std::unique_ptr<Database> database_;  // the thread's, once it runs
  OnDurable on_durable_;
  std::thread thread_;

  common::Mutex mutex_;
  common::CondVar changed_;
  std::vector<Commit> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TRACKER_STORE_STORE_H_
