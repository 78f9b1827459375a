#include "tests/codegen/llvm/emulated_kernel.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tests/codegen/llvm/buffer_bytes.h"

namespace tunefleet::codegen {
namespace {

constexpr char kCompiler[] = "aarch64-linux-gnu-gcc";
constexpr char kEmulator[] = "qemu-aarch64 -cpu max";

bool Succeeds(const std::string& command) { return std::system((command + " 2>/dev/null").c_str()) == 0; }

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

absl::StatusOr<std::unique_ptr<EmulatedMachine>> EmulatedMachine::Make() {
  auto machine = absl::WrapUnique(new EmulatedMachine());
  const std::string library = machine->folder_ / "library";
  if (!Succeeds(absl::StrCat(kEmulator, " -version >/dev/null")) ||
      !Succeeds(absl::StrCat(kCompiler,
                             " -O1 -I" TUNEFLEET_SOURCE_DIR " " TUNEFLEET_SOURCE_DIR
                             "/tests/bench/emulated/run_kernel.c -ldl -o ",
                             machine->folder_ / "run_kernel")) ||
      !Succeeds(absl::StrCat(kCompiler, " -print-file-name=libc.so.6 >", library))) {
    return absl::NotFoundError(
        absl::StrCat(kEmulator, " or ", kCompiler, " is missing (deploy/install-deps.sh --cross=arm64)"));
  }
  std::string path = Contents(library);
  path.erase(path.find_last_not_of('\n') + 1);
  machine->libraries_ = std::filesystem::weakly_canonical(path).parent_path().parent_path().string();
  return machine;
}

absl::StatusOr<Buffers> EmulatedMachine::Run(const LoopNest& nest, const Artifact& artifact,
                                             const Buffers& inputs) const {
  const std::vector<const Buffer*> arguments = ArgumentsOf(nest);
  std::ofstream(folder_ / "kernel.so", std::ios::binary) << artifact.code;
  std::string command = absl::StrCat(kEmulator, " -L ", libraries_, " ", folder_ / "run_kernel", " 1 ",
                                     folder_ / "kernel.so", " ", artifact.manifest.workspace_bytes());
  for (size_t b = 0; b < arguments.size(); ++b) {
    std::string bytes(artifact.manifest.buffers(static_cast<int>(b)).size_bytes(), '\x7b');
    const auto input = inputs.find(arguments[b]->name);
    if (input != inputs.end()) StoreValues(*arguments[b], input->second, bytes.data());
    const std::string path = folder_ / absl::StrCat("buffer", b);
    std::ofstream(path, std::ios::binary) << bytes;
    absl::StrAppend(&command, " ", path);
  }
  if (!Succeeds(command)) return absl::InternalError("the kernel failed under the emulator");
  Buffers outputs;
  for (size_t b = 0; b < arguments.size(); ++b) {
    if (arguments[b]->role != Role::kOutput) continue;
    outputs[arguments[b]->name] = LoadValues(*arguments[b], Contents(folder_ / absl::StrCat("buffer", b)).data());
  }
  return outputs;
}

}  // namespace tunefleet::codegen
