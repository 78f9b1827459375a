// What processes hold: for tests that look for leaks.
#ifndef TUNEFLEET_TESTS_DEVICE_SERVER_FOOTPRINT_H_
#define TUNEFLEET_TESTS_DEVICE_SERVER_FOOTPRINT_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace tunefleet::device {

// Sums over processes that do not change while they are looked at.
struct Footprint {
  int64_t processes = 0;
  int64_t threads = 0;
  int64_t descriptors = 0;
  int64_t mappings = 0;
  int64_t private_kib = 0;  // resident memory that is no file's
  int64_t shared_kib = 0;   // resident memory files and shared memory
  int64_t files = 0;        // under the folders

  std::string Text() const;
};

// Of these processes; `folders` are counted recursively. Needs the right to look into the processes.
Footprint FootprintOf(const std::vector<pid_t>& pids, const std::vector<std::string>& folders);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_TESTS_DEVICE_SERVER_FOOTPRINT_H_
