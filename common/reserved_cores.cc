#include "common/reserved_cores.h"

#include <unistd.h>

#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/abstract_name.h"

namespace tunefleet::common {
namespace {

std::string Prefix(absl::string_view scope) { return absl::StrCat("tunefleet", scope, "/core-"); }

}  // namespace

ReservedCores::ReservedCores(const std::vector<int>& cores, absl::string_view scope) {
  for (const int core : cores) {
    const int socket = HoldAbstractName(absl::StrCat(Prefix(scope), core, "/agent-", getpid()));
    if (socket >= 0) sockets_.push_back(socket);
  }
}

ReservedCores::~ReservedCores() {
  for (const int socket : sockets_) close(socket);
}

std::vector<int> CoresOfAgents(absl::string_view scope) {
  std::set<int> cores;
  for (const std::string& name : HeldAbstractNames(Prefix(scope))) {
    const std::vector<absl::string_view> parts = absl::StrSplit(name, '/');
    int core = 0;
    if (parts.size() == 2 && absl::StartsWith(parts[1], "agent-") && absl::SimpleAtoi(parts[0], &core)) {
      cores.insert(core);
    }
  }
  return {cores.begin(), cores.end()};
}

}  // namespace tunefleet::common
