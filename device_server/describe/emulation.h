// Whether this program runs on an emulator of another architecture (qemu-user and its like), and how it is started
// again.
//
// A user-mode emulator shows the program its own /proc/self, but /proc/thread-self is the kernel's: there the
// executable is the emulator, of another machine type than this program, and the command line begins with the emulator
// and its options.
#ifndef TUNEFLEET_DEVICE_SERVER_DESCRIBE_EMULATION_H_
#define TUNEFLEET_DEVICE_SERVER_DESCRIBE_EMULATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tunefleet::device {

// A process as the kernel sees it.
struct HostProcess {
  std::string executable;
  std::vector<std::string> arguments;
  uint16_t machine = 0;  // e_machine of the executable
};

// The machine type of an ELF file's first bytes; nullopt for anything else.
std::optional<uint16_t> ElfMachine(absl::string_view header);

// This process; nullopt where the kernel does not show it.
std::optional<HostProcess> ReadHostProcess();

// What a program of type `machine` that was given `num_arguments` arguments (its own name among them) is run through:
// the emulator and its options, empty when it runs on the processor itself.
std::vector<std::string> EmulatorCommand(const HostProcess& process, uint16_t machine, size_t num_arguments);

// The same for this program.
std::vector<std::string> OwnEmulatorCommand(size_t num_arguments);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_DESCRIBE_EMULATION_H_
