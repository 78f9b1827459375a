#include "device_server/sandbox/worker_group.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/status_macros.h"

namespace tunefleet::device {
namespace {

constexpr char kAgentFolder[] = "/tunefleet-agent";

absl::Status Unavailable(const std::string& what, const std::string& path) {
  return absl::UnavailableError(absl::StrCat(what, " ", path, ": ", strerror(errno)));
}

std::string Read(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

absl::Status Write(const std::string& path, const std::string& text) {
  const UniqueFd file(open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  if (file.valid() && write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size())) {
    return absl::OkStatus();
  }
  return Unavailable("write", path);
}

absl::Status MakeGroup(const std::string& folder) {
  if (mkdir(folder.c_str(), 0755) == 0 || errno == EEXIST) return absl::OkStatus();
  return Unavailable("make the group", folder);
}

bool HasControllers(const std::string& text) {
  const std::vector<std::string> names = absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty());
  const auto has = [&](const char* name) { return std::find(names.begin(), names.end(), name) != names.end(); };
  return has("memory") && has("pids");
}

// Memory and pids for the groups below `own`.
absl::Status EnableControllers(const std::string& own) {
  const std::string control = own + "/cgroup.subtree_control";
  if (HasControllers(Read(control))) return absl::OkStatus();
  const std::vector<std::string> processes = absl::StrSplit(Read(own + "/cgroup.procs"), '\n', absl::SkipEmpty());
  if (processes.size() > 1 || (processes.size() == 1 && processes[0] != absl::StrCat(getpid()))) {
    return absl::UnavailableError(absl::StrCat("the group ", own, " has other processes"));
  }
  if (!processes.empty()) {
    TF_RETURN_IF_ERROR(MakeGroup(own + kAgentFolder));
    TF_RETURN_IF_ERROR(Write(own + kAgentFolder + "/cgroup.procs", "0"));
  }
  return Write(control, "+memory +pids");
}

}  // namespace

std::string UnifiedGroup(absl::string_view proc_cgroup) {
  for (absl::string_view line : absl::StrSplit(proc_cgroup, '\n')) {
    if (absl::ConsumePrefix(&line, "0::")) return std::string(line);
  }
  return "";
}

absl::StatusOr<std::unique_ptr<WorkerGroup>> WorkerGroup::Create(const std::string& own, const std::string& name) {
  // An agent that was started anew is where its predecessor went.
  const std::string parent(absl::StripSuffix(own, kAgentFolder));
  if (!HasControllers(Read(parent + "/cgroup.controllers"))) {
    return absl::UnavailableError(absl::StrCat("no controllers of memory and pids in ", parent));
  }
  TF_RETURN_IF_ERROR(EnableControllers(parent));
  std::string folder = absl::StrCat(parent, "/tunefleet-", name);
  TF_RETURN_IF_ERROR(MakeGroup(folder));
  UniqueFd entrance(open((folder + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
  if (!entrance.valid()) return Unavailable("open the group", folder);
  return absl::WrapUnique(new WorkerGroup(std::move(folder), std::move(entrance)));
}

WorkerGroup::~WorkerGroup() { rmdir(folder_.c_str()); }

absl::Status WorkerGroup::LimitMemory(uint64_t bytes) {
  TF_RETURN_IF_ERROR(Write(folder_ + "/memory.max", absl::StrCat(bytes)));
  Write(folder_ + "/memory.swap.max", "0").IgnoreError();  // not there without swap
  return absl::OkStatus();
}

absl::Status WorkerGroup::LimitTasks(uint64_t tasks) { return Write(folder_ + "/pids.max", absl::StrCat(tasks)); }

}  // namespace tunefleet::device
