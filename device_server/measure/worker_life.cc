#include "device_server/measure/worker_life.h"

namespace tunefleet::device {

const char* LifetimeName(WorkerLifetime lifetime) {
  return lifetime == WorkerLifetime::kPersistent ? "persistent" : "candidate";
}

std::optional<WorkerLifetime> ParseLifetime(absl::string_view name) {
  for (const WorkerLifetime lifetime : {WorkerLifetime::kCandidate, WorkerLifetime::kPersistent}) {
    if (name == LifetimeName(lifetime)) return lifetime;
  }
  return std::nullopt;
}

bool DeservesANewWorker(v1::Outcome outcome, uint32_t earlier_kernels) {
  switch (outcome) {
    case v1::OUTCOME_LOAD_FAILED:
    case v1::OUTCOME_CRASHED:
    case v1::OUTCOME_TIMED_OUT:
    case v1::OUTCOME_WRONG_ANSWER:
    case v1::OUTCOME_OUT_OF_MEMORY:
    case v1::OUTCOME_FORBIDDEN:
    case v1::OUTCOME_EXITED:
    case v1::OUTCOME_NO_REFERENCE:
    case v1::OUTCOME_DEVICE_ERROR:  // its zygote was lost between trials, and it with it
      return earlier_kernels > 0;
    default:  // nothing that is said of the kernel
      return false;
  }
}

void WorkerLife::KernelEnded(bool clean) {
  if (!clean) {
    end_ = "its kernel came to no clean end";
  } else if (lifetime_ == WorkerLifetime::kCandidate) {
    end_ = "it was for one kernel";
  } else if (kernels_ >= kMostKernels) {
    end_ = "it had as many kernels as one may have";
  }
}

void WorkerLife::KernelClosed(std::optional<uint64_t> kept_bytes) {
  if (!kept_bytes) {
    end_ = "its kernel could not be closed";
  } else if (*kept_bytes > kMostKeptBytes) {
    end_ = "its kernel left memory behind";
  }
}

}  // namespace tunefleet::device
