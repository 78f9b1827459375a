// The kinds of cores of a machine: big and little ones give different timings, so each kind is a device of its own.
#ifndef TUNEFLEET_DEVICE_SERVER_DESCRIBE_CORE_GROUPS_H_
#define TUNEFLEET_DEVICE_SERVER_DESCRIBE_CORE_GROUPS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace tunefleet::device {

// Cores that are alike. What the machine does not tell is 0 or empty.
struct CoreGroup {
  std::vector<uint16_t> cores;  // ascending
  std::string kind;             // of a hybrid x86 processor: "core", "atom"
  uint64_t midr = 0;            // identification register of an Arm core
  uint64_t capacity = 0;        // the scheduler's estimate, 1024 for the biggest
  uint64_t max_khz = 0;         // of the first core
  std::string told_by;          // the files that told the groups apart, for people; empty for a single group
};

// Sorts `cores` into groups, in the order of their first cores. `root` stands before /sys: "" on a real machine. Cores
// differ when their kind or midr does, or their capacities or highest clocks by more than a tenth (a processor's
// favourite cores are allowed a little more).
std::vector<CoreGroup> ReadCoreGroups(const std::string& root, const std::vector<uint16_t>& cores);

// The identification register of an Arm core; 0 where the kernel does not show it.
uint64_t ReadMidr(const std::string& root, uint16_t core);

// What tells each group from the others, as a part of names: "atom", "cap485", "2208mhz", "midr410fd034", or several of
// these where one does not do. Empty for a single group.
std::vector<std::string> GroupKinds(const std::vector<CoreGroup>& groups);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_DESCRIBE_CORE_GROUPS_H_
