#include "tracker/core/trial_blobs.h"

#include <algorithm>

#include "common/digest.h"

namespace tunefleet::tracker {

std::vector<std::string> TrialBlobs(const v1::Trial& trial) {
  std::vector<std::string> digests;
  const auto add = [&digests](const std::string& digest) {
    if (std::find(digests.begin(), digests.end(), digest) == digests.end()) digests.push_back(digest);
  };
  for (const v1::Kernel& kernel : trial.kernels()) {
    add(kernel.manifest().code_digest());
    if (kernel.has_reference()) add(kernel.reference().code_digest());
    for (const v1::BufferFill& fill : kernel.fills()) {
      if (fill.has_blob_digest()) add(fill.blob_digest());
    }
    for (const v1::BufferFill& fill : kernel.second_fills()) {
      if (fill.has_blob_digest()) add(fill.blob_digest());
    }
    for (const v1::OutputCheck& check : kernel.checks()) {
      if (!check.reference_digest().empty()) add(check.reference_digest());
      if (!check.second_reference_digest().empty()) add(check.second_reference_digest());
    }
  }
  return digests;
}

std::string TrialIdentity(const v1::Trial& trial) {
  v1::Trial anonymous = trial;
  anonymous.clear_trial_id();
  anonymous.clear_labels();
  return common::Sha256(anonymous.SerializeAsString());
}

}  // namespace tunefleet::tracker
