#include "tuner/builder/builder_pool.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace tunefleet::tuner {
namespace {

constexpr int kStartRetries = 20;

}  // namespace

absl::StatusOr<std::unique_ptr<BuilderPool>> BuilderPool::Create(const BuilderPoolOptions& options) {
  if (options.size < 1) {
    return absl::InvalidArgumentError(absl::StrCat("builder pool: ", options.size, " builders, at least 1 is needed"));
  }
  std::unique_ptr<BuilderPool> pool(new BuilderPool(options));
  for (int i = 0; i < options.size; ++i) pool->slots_.emplace_back([p = pool.get()] { p->RunSlot(); });
  absl::Status status;
  {
    common::MutexLock lock(&pool->mutex_);
    while (pool->started_ < options.size) pool->job_done_.Wait(&pool->mutex_);
    status = pool->start_error_;
  }
  if (!status.ok()) return status;
  return pool;
}

BuilderPool::~BuilderPool() {
  {
    common::MutexLock lock(&mutex_);
    closing_ = true;
    job_added_.SignalAll();
  }
  for (std::thread& slot : slots_) slot.join();
}

v1::BuildResponse BuilderPool::Build(const v1::BuildRequest& request) {
  Job job{&request};
  common::MutexLock lock(&mutex_);
  jobs_.push_back(&job);
  job_added_.Signal();
  while (!job.done) job_done_.Wait(&mutex_);
  return std::move(job.response);
}

BuilderPool::Job* BuilderPool::Take() {
  common::MutexLock lock(&mutex_);
  while (jobs_.empty() && !closing_) job_added_.Wait(&mutex_);
  if (jobs_.empty()) return nullptr;
  Job* job = jobs_.front();
  jobs_.pop_front();
  return job;
}

bool BuilderPool::Pause() {
  const absl::Time until = absl::Now() + options_.retry_pause;
  common::MutexLock lock(&mutex_);
  while (!closing_ && absl::Now() < until) job_added_.WaitWithTimeout(&mutex_, until - absl::Now());
  return !closing_;
}

void BuilderPool::RunSlot() {
  absl::StatusOr<std::unique_ptr<BuilderProcess>> process = BuilderProcess::Start(options_.process);
  {
    common::MutexLock lock(&mutex_);
    ++started_;
    if (!process.ok()) start_error_ = process.status();
    job_done_.SignalAll();
  }
  int served = 0;
  while (Job* job = Take()) {
    v1::BuildResponse response;
    // No verdict on the candidate: a machine that is short of processes or memory may have them again in a moment.
    for (int i = 0; i < kStartRetries && !process.ok() && Pause(); ++i) {
      process = BuilderProcess::Start(options_.process);
    }
    if (process.ok()) {
      response = (*process)->Build(*job->request);
    } else {
      response.set_id(job->request->id());
      response.set_outcome(v1::OUTCOME_BUILD_FAILED);
      response.set_detail(std::string(process.status().message()));
    }
    {
      common::MutexLock lock(&mutex_);
      job->response = std::move(response);
      job->done = true;
      job_done_.SignalAll();
    }
    // The replacement is started before it is needed.
    if (!process.ok() || !(*process)->alive() || ++served >= options_.candidates_per_process) {
      process = absl::UnavailableError("no builder");  // the old one ends first
      process = BuilderProcess::Start(options_.process);
      served = 0;
    }
  }
}

}  // namespace tunefleet::tuner
