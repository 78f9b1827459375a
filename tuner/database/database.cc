#include "tuner/database/database.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/digest.h"

namespace tunefleet::tuner {

std::string TaskDigest(const TaskIdentity& task) {
  v1::Target target = task.target;
  target.clear_model();
  target.clear_cores();
  target.set_threads(std::max(1, target.threads()));
  std::vector<std::string> parts = {task.workload_key, target.SerializeAsString(), task.device_class};
  if (task.cache_mode != v1::CACHE_MODE_WARM) parts.push_back(v1::CacheMode_Name(task.cache_mode));
  common::DigestStream digest;
  for (const std::string& part : parts) {
    digest.Update(absl::StrCat(part.size(), ":"));
    digest.Update(part);
  }
  return digest.Finish();
}

std::string ScheduleDigest(const v1::Schedule& schedule) { return common::Sha256(schedule.SerializeAsString()); }

std::string TrialId(const std::string& job_id, uint64_t number) { return absl::StrCat(job_id, ".", number); }

v1::BuildRequest BuildRequestOf(const v1::TuningRecord& record) {
  v1::BuildRequest request;
  request.set_id(1);
  *request.mutable_workload() = record.workload();
  *request.mutable_target() = record.target();
  *request.mutable_schedule() = record.schedule();
  request.set_pass_pipeline(record.pass_pipeline());
  return request;
}

}  // namespace tunefleet::tuner
