#include "codegen/llvm/linker.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/mutex.h"
#include "common/status_macros.h"
#include "lld/Common/Driver.h"
#include "llvm/Support/raw_ostream.h"

LLD_HAS_DRIVER(elf)

namespace tunefleet::codegen {
namespace {

constexpr size_t kLinkOverheadBytes = 256 << 10;  // headers, symbols, and gaps between segments of up to 64 KiB pages
constexpr size_t kMaxPipeBytes = 1 << 20;         // what an unprivileged process may ask for

absl::Status ErrnoError(absl::string_view operation) {
  return absl::InternalError(absl::StrCat("linking the kernel: ", operation, ": ", std::strerror(errno)));
}

// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return value_; }
  std::string path() const { return absl::StrCat("/proc/self/fd/", value_); }

 private:
  int value_;
};

absl::Status WriteAll(int descriptor, absl::string_view data) {
  while (!data.empty()) {
    const ssize_t written = write(descriptor, data.data(), data.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoError("writing the object");
    data.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

// What the pipe holds at the moment.
absl::StatusOr<std::string> ReadAvailable(int descriptor) {
  int available = 0;
  if (ioctl(descriptor, FIONREAD, &available) != 0) return ErrnoError("sizing the output");
  std::string data(static_cast<size_t>(available), '\0');
  size_t done = 0;
  while (done < data.size()) {
    const ssize_t count = read(descriptor, data.data() + done, data.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return ErrnoError("reading the output");
    done += static_cast<size_t>(count);
  }
  return data;
}

}  // namespace

absl::StatusOr<std::string> LinkSharedObject(absl::string_view object) {
  static common::Mutex lld_mutex;
  const Descriptor input(memfd_create("kernel.o", MFD_CLOEXEC));
  if (input.get() < 0) return ErrnoError("creating a memory file");
  TF_RETURN_IF_ERROR(WriteAll(input.get(), object));

  // LLD writes regular files aside and renames them, which would leave something behind when the process is killed;
  // into a pipe it writes straight. The pipe holds all of it: LLD is done before the first byte is read.
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoError("creating a pipe");
  const Descriptor reader(ends[0]);
  const Descriptor output(ends[1]);
  const size_t capacity = object.size() + kLinkOverheadBytes;
  if (capacity > kMaxPipeBytes || fcntl(output.get(), F_SETPIPE_SZ, static_cast<int>(capacity)) < 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("linking the kernel: its object has ", object.size(), " bytes, more than a pipe can take"));
  }

  const std::string input_path = input.path();
  const std::string output_path = output.path();
  const std::vector<const char*> arguments = {"ld.lld",
                                              "-shared",
                                              "--threads=1",
                                              "--build-id=none",
                                              "--gc-sections",
                                              "-Bsymbolic",
                                              "--hash-style=gnu",
                                              "-s",
                                              "-znoexecstack",
                                              "-znow",
                                              "-soname=kernel.so",
                                              "-o",
                                              output_path.c_str(),
                                              input_path.c_str()};
  std::string messages;
  llvm::raw_string_ostream stream(messages);
  lld::Result result{};
  {
    common::MutexLock lock(&lld_mutex);
    result = lld::lldMain(arguments, stream, stream, {{lld::Gnu, &lld::elf::link}});
  }
  if (result.retCode != 0) return absl::InternalError(absl::StrCat("linking the kernel: ", messages));
  return ReadAvailable(reader.get());
}

}  // namespace tunefleet::codegen
