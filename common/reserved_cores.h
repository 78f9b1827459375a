// The cores of this machine on which device agents measure, told to whoever would be busy on them: the builders of a
// tuner that works for another tracker's fleet.
//
// A mark is the name `tunefleet<scope>/core-<core>/agent-<pid>` (common/abstract_name.h). `scope` tells tests from real
// agents.
#ifndef TUNEFLEET_COMMON_RESERVED_CORES_H_
#define TUNEFLEET_COMMON_RESERVED_CORES_H_

#include <vector>

#include "absl/strings/string_view.h"

namespace tunefleet::common {

// Marks are up until it is destroyed. Where they cannot be made, nobody is told. Move-only.
class ReservedCores {
 public:
  explicit ReservedCores(const std::vector<int>& cores, absl::string_view scope = "");
  ReservedCores(ReservedCores&& other) noexcept = default;
  ReservedCores& operator=(ReservedCores&& other) = delete;
  ~ReservedCores();

 private:
  std::vector<int> sockets_;
};

// The cores that any process has marked, ascending.
std::vector<int> CoresOfAgents(absl::string_view scope = "");

}  // namespace tunefleet::common

#endif  // TUNEFLEET_COMMON_RESERVED_CORES_H_
