#include "device_server/describe/emulation.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace tunefleet::device {
namespace {

#if defined(__x86_64__)
constexpr uint16_t kOwnMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr uint16_t kOwnMachine = EM_AARCH64;
#elif defined(__arm__)
constexpr uint16_t kOwnMachine = EM_ARM;
#elif defined(__riscv)
constexpr uint16_t kOwnMachine = EM_RISCV;
#else
#error "an architecture without a machine type: add it here"
#endif

constexpr char kExecutable[] = "/proc/thread-self/exe";
constexpr char kCommandLine[] = "/proc/thread-self/cmdline";
constexpr size_t kHeaderBytes = sizeof(Elf32_Ehdr);

}  // namespace

std::optional<uint16_t> ElfMachine(absl::string_view header) {
  static_assert(offsetof(Elf32_Ehdr, e_machine) == offsetof(Elf64_Ehdr, e_machine));
  if (header.size() < kHeaderBytes || std::memcmp(header.data(), ELFMAG, SELFMAG) != 0) return std::nullopt;
  uint16_t machine = 0;
  std::memcpy(&machine, header.data() + offsetof(Elf32_Ehdr, e_machine), sizeof(machine));
  return machine;
}

std::optional<HostProcess> ReadHostProcess() {
  std::error_code error;
  HostProcess process;
  process.executable = std::filesystem::read_symlink(kExecutable, error).string();
  std::string header(kHeaderBytes, '\0');
  std::ifstream executable(kExecutable, std::ios::binary);
  if (error || !executable.read(header.data(), static_cast<std::streamsize>(header.size()))) return std::nullopt;
  const std::optional<uint16_t> machine = ElfMachine(header);
  std::ifstream command_line(kCommandLine, std::ios::binary);
  const std::string arguments(std::istreambuf_iterator<char>(command_line), {});
  if (!machine.has_value() || arguments.empty()) return std::nullopt;
  process.machine = *machine;
  process.arguments = absl::StrSplit(absl::StripSuffix(arguments, absl::string_view("\0", 1)), '\0');
  return process;
}

std::vector<std::string> EmulatorCommand(const HostProcess& process, uint16_t machine, size_t num_arguments) {
  if (process.machine == machine) return {};
  std::vector<std::string> command = {process.executable};
  const size_t total = process.arguments.size();
  const size_t options = total > num_arguments ? total - num_arguments : 1;
  command.insert(command.end(), process.arguments.begin() + 1,
                 process.arguments.begin() + static_cast<ptrdiff_t>(std::min(options, total)));
  return command;
}

std::vector<std::string> OwnEmulatorCommand(size_t num_arguments) {
  const std::optional<HostProcess> process = ReadHostProcess();
  if (!process.has_value()) return {};
  return EmulatorCommand(*process, kOwnMachine, num_arguments);
}

}  // namespace tunefleet::device
