// A builder that does to each request what its pass_pipeline names; the response's detail is the process id.
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tuner/builder/builder_process.h"
#include "tuner/builder/builder_server.h"

namespace tunefleet::tuner {
namespace {

using std::string_literals::operator""s;

v1::BuildResponse Misbehave(const v1::BuildRequest& request) {
  const std::string& how = request.pass_pipeline();
  if (how == "crash") {
    std::fprintf(stderr, "noise\nthe compiler lost its way\n");
    std::abort();
  }
  if (how == "exit") _exit(3);
  if (how == "stall") {
    for (;;) pause();
  }
  if (how == "allocate") {
    std::vector<std::vector<char>> hoard;
    for (;;) hoard.emplace_back(1 << 20, 'x');
  }
  if (how == "killed") raise(SIGKILL);
  if (how == "garbage") {
    const std::string text = "\x08\0\0\0not a message at all"s + std::string(64, '\xff');
    if (write(kBuilderSocket, text.data(), text.size()) < 0) _exit(4);
    for (;;) pause();
  }
  if (how == "huge") {
    const std::string text(64, '\xff');
    if (write(kBuilderSocket, text.data(), text.size()) < 0) _exit(4);
    for (;;) pause();
  }
  if (how == "chatter") std::printf("text on standard output\n"), std::fflush(stdout);
  v1::BuildResponse response;
  response.set_id(how == "other id" ? request.id() + 1 : request.id());
  response.set_outcome(how == "impossible outcome" ? v1::OUTCOME_CRASHED : v1::OUTCOME_OK);
  response.set_detail(absl::StrCat(getpid()));
  return response;
}

}  // namespace
}  // namespace tunefleet::tuner

int main() {
  tunefleet::tuner::ExitWhenOutOfMemory();
  return tunefleet::tuner::ServeBuilds(tunefleet::tuner::Misbehave).ok() ? 0 : 1;
}
