// What supervisor, zygote and workers say to each other, on SOCK_SEQPACKET socket pairs.
//
//   supervisor -> zygote   ZygoteRequest   kSpawn carries an fd: the worker's socket
//   zygote -> supervisor   ZygoteReply     kReady first, then one reply per request
//   supervisor -> worker   WorkerCommand   one at a time; of each kernel kOpen, kLoad, then runs, kClose where another
//                                          kernel follows; kSentinel at any time
//                          KernelSpec      after kOpen, with fds: the code, then one per buffer file
//   worker -> supervisor   WorkerReport    kReady first, then one per command, with its serial number; the trap reports
//                                          have it too and are the worker's last word
//
// All ends are the same program, so messages are plain structs. What a worker says is not trusted: its text is bounded,
// and it never judges its own output. Its times it alone can measure, and the kernel that is timed shares its process:
// a time that exceeds what passed at the supervisor is refused, one that is far below it is found
// (measure/time_check.h), a small lie is not.
#ifndef TUNEFLEET_DEVICE_SERVER_SANDBOX_WIRE_H_
#define TUNEFLEET_DEVICE_SERVER_SANDBOX_WIRE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "device_server/sandbox/reading_band.h"
#include "device_server/sandbox/unique_fd.h"

namespace tunefleet::device {

inline constexpr uint32_t kMaxBuffers = 32;
inline constexpr uint32_t kMaxSets = 3;
inline constexpr uint32_t kMaxCopies = 64;
inline constexpr uint32_t kMaxCores = 256;
inline constexpr uint32_t kMaxFds = 2 + kMaxSets * kMaxBuffers;  // in one message

// One mapping of one buffer: the file is mapped whole between two guard pages; the data starts at `offset` in it.
struct BufferMapping {
  uint64_t file_bytes = 0;  // whole pages
  uint64_t offset = 0;
  uint64_t size = 0;
  uint32_t fd_index = 0;  // among the kernel's buffer files
  uint32_t role = 0;      // v1::BufferRole
};

// What a worker has for all its kernels.
struct WorkerSpec {
  uint32_t reusable = 0;   // 0: for one kernel, whose limits nobody can lift
  uint32_t real_time = 0;  // it may keep its cores from everything else
  uint32_t threads = 1;
  uint32_t num_cores = 0;  // 0: not pinned
  uint16_t cores[kMaxCores] = {};

  bool operator==(const WorkerSpec&) const = default;
};

// What a kernel has, for as long as it is open.
struct KernelSpec {
  uint32_t num_buffers = 0;
  uint32_t num_sets = 0;  // a set holds one mapping of every buffer
  BufferMapping buffers[kMaxSets][kMaxBuffers] = {};
  BufferMapping workspace;
  uint32_t copies = 0;              // of the last set, for runs that rotate through them; at most kMaxCopies
  uint32_t cpu_seconds = 0;         // a backstop; the supervisor's own limits are finer
  uint64_t eviction_bytes = 0;      // memory to sweep through where single lines cannot be flushed; 0: none
  uint64_t memory_limit_bytes = 0;  // beyond what the worker has mapped when the kernel is open

  // Memory that the worker takes for itself when it opens the kernel.
  uint64_t OwnBytes() const;
};

enum class ZygoteRequestKind : uint32_t { kSpawn = 1, kReap = 2 };
struct ZygoteRequest {
  ZygoteRequestKind kind = ZygoteRequestKind::kSpawn;
  int32_t pid = 0;        // kReap, as the zygote knows it
  uint32_t grace_ms = 0;  // kReap: how long a worker that seems to be dying may take before it is killed
  WorkerSpec spec;        // kSpawn
};

enum class ZygoteReplyKind : uint32_t { kReady = 1, kSpawned = 2, kReaped = 3 };
struct ZygoteReply {
  ZygoteReplyKind kind = ZygoteReplyKind::kReady;
  uint32_t sandbox = 0;  // kReady: SandboxBits enforced for all workers
  int32_t pid = 0;       // kSpawned
  int32_t error = 0;     // kSpawned: errno of a failed fork
  int32_t status = 0;    // kReaped: as waitpid gives it
  uint32_t killed = 0;   // kReaped: it had to be killed
};

enum class WorkerCommandKind : uint32_t { kOpen = 1, kLoad = 2, kPrepare = 3, kRun = 4, kSentinel = 5, kClose = 6 };
// What a run finds in the caches (v1::CacheMode).
enum class RunMode : uint32_t { kWarm = 0, kCold = 1, kRotating = 2 };
struct WorkerCommand {
  WorkerCommandKind kind = WorkerCommandKind::kLoad;
  uint32_t serial = 0;  // the report on it has the same
  uint32_t set = 0;
  uint32_t runs = 0;
  uint32_t has_prepare = 0;       // kLoad: tf_prepare must be there
  uint32_t timed = 0;             // kRun: the sentinel runs before and after
  RunMode mode = RunMode::kWarm;  // kRun
  ReadingBand usual_units;        // kRun, where it is timed: the run waits a while for a reading of the units in it
};

enum class WorkerReportKind : uint32_t {
  kReady = 1,      // confined; `sandbox` says how far
  kDone = 2,       // the command succeeded; `code` is the kernel's return value
  kFailed = 3,     // set-up, loading or closing failed: `text`
  kForbidden = 4,  // trap: system call number `code` was stopped
  kNoMemory = 5,   // trap: an allocation of `amount` bytes was refused
  kFault = 6,      // trap: signal `code` at an address near the buffer named by set, buffer, offset
};
struct WorkerReport {
  WorkerReportKind kind = WorkerReportKind::kReady;
  uint32_t serial = 0;  // of the command
  int32_t code = 0;
  uint32_t sandbox = 0;
  uint32_t scheduling = 0;   // kReady: worker/priority.h
  uint32_t preemptions = 0;  // kRun: involuntary context switches of all threads meanwhile
  uint64_t elapsed_ns = 0;   // of the command; for kRun: of the runs alone; for kSentinel: of one chain
  uint64_t sentinel_ns = 0;  // kRun, where it is timed: of one chain, the mean of before and after
  uint64_t units_ns = 0;     // kRun, where it is timed: of the loop that keeps the units busy, before; 0: there is none
  uint64_t amount = 0;       // kNoMemory; kReady, and kDone of kClose: bytes of address space mapped
  uint64_t address = 0;
  int32_t buffer = -1;  // -1: the address is near no buffer; kWorkspaceBuffer: the workspace
  uint32_t is_write = 0;
  int64_t offset = 0;  // of the address from the buffer's first byte
  char text[256] = {};
};
inline constexpr int32_t kWorkspaceBuffer = -2;

// Measures of the sandbox, bit by bit.
enum SandboxBits : uint32_t {
  kSandboxPidNamespace = 1u << 0,
  kSandboxNetNamespace = 1u << 1,
  kSandboxMountNamespace = 1u << 2,
  kSandboxIpcNamespace = 1u << 3,
  kSandboxUnprivileged = 1u << 4,  // an identity without rights: a user namespace, or not root in the first place
  kSandboxNoNewPrivileges = 1u << 5,
  kSandboxLimits = 1u << 6,
  kSandboxLandlock = 1u << 7,
  kSandboxSeccomp = 1u << 8,
  kSandboxGroup = 1u << 9,    // a control group; the limits stand in for it where there is none
  kSandboxPinned = 1u << 10,  // each thread stays on the core that it was given
};
inline constexpr uint32_t kSandboxFull = (1u << 9) - 1;

// For the device attribute `sandbox`: the names of the measures in force, sorted, and "full" when none is missing.
std::vector<std::string> SandboxNames(uint32_t bits);

// One message with descriptors. Errors: UNAVAILABLE when the peer is gone.
absl::Status SendPacket(int socket, const void* data, size_t size, std::span<const int> fds = {});
template <typename T>
absl::Status SendPacket(int socket, const T& message, std::span<const int> fds = {}) {
  return SendPacket(socket, &message, sizeof(T), fds);
}

// Receives one message of exactly `size` bytes. Errors: OUT_OF_RANGE when the peer is gone, DEADLINE_EXCEEDED,
// DATA_LOSS for a message of another size.
absl::Status ReceivePacket(int socket, void* data, size_t size, absl::Duration timeout, std::vector<UniqueFd>* fds);
template <typename T>
absl::Status ReceivePacket(int socket, T* message, absl::Duration timeout = absl::InfiniteDuration(),
                           std::vector<UniqueFd>* fds = nullptr) {
  return ReceivePacket(socket, message, sizeof(T), timeout, fds);
}

// Waits for the next message for as long as it takes, in this one system call. Errors: as above.
absl::Status ReceiveNext(int socket, void* data, size_t size, std::vector<UniqueFd>* fds);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_SANDBOX_WIRE_H_
