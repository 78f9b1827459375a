// One builder process: a child that turns BuildRequests into BuildResponses over a socket (proto/build.proto), one at a
// time, until it is told to end or does something that a compiler must not do.
//
// The child gets the socket as descriptor kBuilderSocket and ends when the socket closes; it also dies with the thread
// that started it. A child that runs out of memory exits with kOutOfMemoryExit. Not thread-safe: one thread owns a
// BuilderProcess for all its life.
#ifndef TUNEFLEET_TUNER_BUILDER_BUILDER_PROCESS_H_
#define TUNEFLEET_TUNER_BUILDER_BUILDER_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/build.pb.h"

namespace tunefleet::tuner {

inline constexpr int kBuilderSocket = 3;
inline constexpr int kOutOfMemoryExit = 77;

struct BuilderProcessOptions {
  std::string program;                         // path of tunefleet-builder
  std::vector<std::string> arguments;          // after the program's name
  absl::Duration timeout = absl::Seconds(10);  // of one candidate
  uint64_t memory_limit_bytes = 0;             // address space of the child; 0: no limit
  std::vector<int> cores;                      // empty: as the tuner
  int nice = 10;
};

class BuilderProcess {
 public:
  // Errors: NOT_FOUND (no such program), INTERNAL (the system refused).
  static absl::StatusOr<std::unique_ptr<BuilderProcess>> Start(const BuilderProcessOptions& options);
  // Closes the socket, waits a moment, then kills.
  ~BuilderProcess();
  BuilderProcess(const BuilderProcess&) = delete;
  BuilderProcess& operator=(const BuilderProcess&) = delete;

  // Builds one candidate. A child that crashes, stalls, eats memory or answers with garbage is killed, and the response
  // says so (BUILD_CRASHED, BUILD_TIMED_OUT, BUILD_OUT_OF_MEMORY); it is not alive afterwards.
  v1::BuildResponse Build(const v1::BuildRequest& request);
  bool alive() const { return pid_ > 0; }

 private:
  BuilderProcess(const BuilderProcessOptions& options, pid_t pid, int socket, int errors);
  // Ends the child; what killed it becomes the outcome, unless `known` already is one.
  v1::BuildResponse Bury(const v1::BuildRequest& request, v1::Outcome known, const std::string& detail);
  std::string LastErrorLine() const;

  const BuilderProcessOptions options_;
  pid_t pid_;
  int socket_;
  int errors_;  // the child's standard error, a memory file
};

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_BUILDER_BUILDER_PROCESS_H_
