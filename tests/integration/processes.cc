#include "tests/integration/processes.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/child_process.h"
#include "google/protobuf/util/json_util.h"

namespace tunefleet::testing {
namespace {

constexpr char kMark[] = "TUNEFLEET_TEST_SANDBOX";
constexpr absl::Duration kGlance = absl::Milliseconds(20);

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

int ExitOf(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

}  // namespace

std::string Program(const std::string& name) { return absl::StrCat(TUNEFLEET_BIN_DIR, "/", name); }

std::string TestFolder() { return TUNEFLEET_TEST_DIR; }

Sandbox::Sandbox() {
  std::filesystem::create_directory(Path("tmp"));
  setenv(kMark, folder_.path().c_str(), 1);
  setenv("TMPDIR", Path("tmp").c_str(), 1);
}

Sandbox::~Sandbox() {
  for (const pid_t pid : Processes()) kill(pid, SIGKILL);
  unsetenv(kMark);
  unsetenv("TMPDIR");
}

std::vector<std::string> Sandbox::TemporaryFiles() const {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(Path("tmp"))) {
    names.push_back(entry.path().filename());
  }
  return names;
}

std::vector<pid_t> Sandbox::Processes(const std::vector<pid_t>& expected) const {
  const std::string mark = absl::StrCat(kMark, "=", folder_.path());
  std::vector<pid_t> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    pid_t pid = 0;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &pid) || pid == getpid()) continue;
    const std::string environment = ReadFile(entry.path() / "environ");
    const std::vector<std::string> variables = absl::StrSplit(environment, '\0');
    if (std::find(variables.begin(), variables.end(), mark) == variables.end()) continue;
    if (std::find(expected.begin(), expected.end(), pid) == expected.end()) found.push_back(pid);
  }
  return found;
}

bool Sandbox::IsCleanSoon() const {
  return Soon([this] { return Processes().empty() && TemporaryFiles().empty(); });
}

Process::Process(const Sandbox& sandbox, const std::string& name, std::vector<std::string> arguments)
    : name_(sandbox.Path(name)) {
  const int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int out = open((name_ + ".out").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const int err = open((name_ + ".err").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  common::ChildOptions child;
  child.arguments = std::move(arguments);
  child.descriptors = {{in, 0}, {out, 1}, {err, 2}};
  const absl::StatusOr<pid_t> pid = common::StartChild(child);
  EXPECT_TRUE(pid.ok()) << pid.status();
  pid_ = pid.value_or(-1);
  for (const int fd : {in, out, err}) close(fd);
}

Process::~Process() {
  if (pid_ > 0) Kill();
}

void Process::Signal(int signal) {
  if (pid_ > 0) kill(pid_, signal);
}

void Process::Kill() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);  // it alone: what it started has to notice by itself
  int status = 0;
  waitpid(pid_, &status, 0);
  exit_ = ExitOf(status);
  pid_ = -1;
}

int Process::Wait() {
  if (pid_ <= 0) return exit_;
  const absl::StatusOr<int> status = common::WaitChild(pid_, kPatience);
  if (!status.ok()) return -1;
  pid_ = -1;
  return exit_ = ExitOf(*status);
}

bool Process::Running() {
  if (pid_ <= 0) return false;
  const absl::StatusOr<int> status = common::WaitChild(pid_, absl::ZeroDuration());
  if (!status.ok()) return true;
  pid_ = -1;
  exit_ = ExitOf(*status);
  return false;
}

std::string Process::Out() const { return ReadFile(name_ + ".out"); }
std::string Process::Err() const { return ReadFile(name_ + ".err"); }

bool Process::PrintsSoon(const std::string& text) {
  const auto printed = [&] { return Out().find(text) != std::string::npos; };
  Soon([&] { return printed() || !Running(); });
  return printed();
}

Finished RunProgram(const Sandbox& sandbox, std::vector<std::string> arguments) {
  Process process(sandbox, "run", std::move(arguments));
  Finished finished;
  finished.exit = process.Wait();
  finished.out = process.Out();
  finished.err = process.Err();
  return finished;
}

bool Soon(const std::function<bool()>& condition) {
  const absl::Time end = absl::Now() + kPatience;
  while (!condition()) {
    if (absl::Now() > end) return false;
    absl::SleepFor(kGlance);
  }
  return true;
}

std::vector<google::protobuf::Struct> JsonLines(const std::string& text) {
  std::vector<google::protobuf::Struct> objects;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const auto status = google::protobuf::util::JsonStringToMessage(std::string(line), &objects.emplace_back());
    EXPECT_TRUE(status.ok()) << status.ToString() << "\n" << line;
  }
  return objects;
}

std::string LastLine(const std::string& text) {
  const std::vector<std::string> lines = absl::StrSplit(text, '\n', absl::SkipEmpty());
  return lines.empty() ? "" : lines.back();
}

}  // namespace tunefleet::testing
