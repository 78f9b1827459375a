// BuilderPool: the Builder that keeps compilers in processes of their own, so that one that crashes, stalls or eats
// memory costs one candidate and not the tuner.
//
// Each of N slots is a thread that owns one BuilderProcess, serves many candidates with it, and replaces it when it
// dies. All processes end with the pool, and with the tuner however that ends.
#ifndef TUNEFLEET_TUNER_BUILDER_BUILDER_POOL_H_
#define TUNEFLEET_TUNER_BUILDER_BUILDER_POOL_H_

#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/mutex.h"
#include "tuner/builder/builder_process.h"
#include "tuner/pipeline/builder.h"

namespace tunefleet::tuner {

struct BuilderPoolOptions {
  int size = 1;                                   // builders, at least 1
  int candidates_per_process = 1000;              // then it is replaced: compilers leak
  absl::Duration retry_pause = absl::Seconds(1);  // between attempts to start a process in place of one that is gone
  BuilderProcessOptions process;
};

// Thread-safe. No call may be under way when it is destroyed.
class BuilderPool final : public Builder {
 public:
  // Starts the processes. Errors: INVALID_ARGUMENT (size), and those of BuilderProcess::Start.
  static absl::StatusOr<std::unique_ptr<BuilderPool>> Create(const BuilderPoolOptions& options);
  ~BuilderPool() override;

  v1::BuildResponse Build(const v1::BuildRequest& request) override;
  int Parallelism() const override { return options_.size; }

 private:
  struct Job {
    const v1::BuildRequest* request;
    v1::BuildResponse response;
    bool done = false;
  };

  explicit BuilderPool(const BuilderPoolOptions& options) : options_(options) {}
  void RunSlot();
  // Waits for the retry's pause; false when the pool closes.
  bool Pause();
  // Next job; null when the pool closes.
  Job* Take();

  const BuilderPoolOptions options_;
  common::Mutex mutex_;
  common::CondVar job_added_;
  common::CondVar job_done_;
  std::deque<Job*> jobs_ ABSL_GUARDED_BY(mutex_);  // owned by the callers of Build
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  int started_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status start_error_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> slots_;
};

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_BUILDER_BUILDER_POOL_H_
