// Real processes for tests: started with their output in files, killed, waited for, and counted afterwards.
#ifndef TUNEFLEET_TESTS_INTEGRATION_PROCESSES_H_
#define TUNEFLEET_TESTS_INTEGRATION_PROCESSES_H_

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "google/protobuf/struct.pb.h"
#include "tests/support/temp_dir.h"

namespace tunefleet::testing {

inline constexpr absl::Duration kPatience = absl::Minutes(3);  // for what should take seconds

// Where the programs are.
std::string Program(const std::string& name);
// The folder of the test programs.
std::string TestFolder();

// A fresh folder, gone with the object. `tmp` in it is TMPDIR of the processes that are started while it lives, and
// every one of them, and all that they start, carries its name in the environment.
class Sandbox {
 public:
  Sandbox();
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  std::string Path(const std::string& name) const { return folder_ / name; }
  // "name" of every entry of `tmp`.
  std::vector<std::string> TemporaryFiles() const;
  // Processes that carry this sandbox's name and are not in `expected`.
  std::vector<pid_t> Processes(const std::vector<pid_t>& expected = {}) const;
  // Waits until no process and no temporary file is left. False: something stayed.
  bool IsCleanSoon() const;

 private:
  TempDir folder_;
};

// One process. Killed when the object goes.
class Process {
 public:
  // `name` is that of its output files in the sandbox.
  Process(const Sandbox& sandbox, const std::string& name, std::vector<std::string> arguments);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void Signal(int signal);
  // SIGKILL, and reaped.
  void Kill();
  // Exit status, or 128 + signal; -1 when it does not end.
  int Wait();
  bool Running();
  std::string Out() const;
  std::string Err() const;
  // Waits until its standard output holds the text. False when it ends or time runs out before.
  bool PrintsSoon(const std::string& text);

 private:
  const std::string name_;
  pid_t pid_ = -1;
  int exit_ = -1;
};

// A process from start to end.
struct Finished {
  int exit = -1;
  std::string out;
  std::string err;
};
Finished RunProgram(const Sandbox& sandbox, std::vector<std::string> arguments);

// Looks again and again, for at most kPatience.
bool Soon(const std::function<bool()>& condition);

// Every non-empty line, parsed as a JSON object. A line that is none fails the test.
std::vector<google::protobuf::Struct> JsonLines(const std::string& text);
std::string LastLine(const std::string& text);

}  // namespace tunefleet::testing

#endif  // TUNEFLEET_TESTS_INTEGRATION_PROCESSES_H_
