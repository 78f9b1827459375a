#include "device_server/worker/loaded_kernel.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <span>
#include <utility>

#include "device_server/worker/poison.h"
#include "device_server/worker/sentinel.h"
#include "device_server/worker/traps.h"

namespace tunefleet::device {
namespace {

uint64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_RAW, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

// Of all threads of the process.
uint64_t Preemptions() {
  rusage usage{};
  return getrusage(RUSAGE_SELF, &usage) == 0 ? static_cast<uint64_t>(usage.ru_nivcsw) : 0;
}

void Fail(const char* what, const char* why, WorkerReport* report) {
  report->kind = WorkerReportKind::kFailed;
  std::snprintf(report->text, sizeof(report->text), "%s%s%s", what, *what == '\0' ? "" : ": ", why);
}

// Memory that the segments of a shared object take, by its own account; 0 for what is no ELF file of this machine's
// word size.
uint64_t SegmentBytes(int fd) {
  constexpr unsigned char kClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
  ElfW(Ehdr) header;
  if (pread(fd, &header, sizeof(header), 0) != sizeof(header)) return 0;
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != kClass) return 0;
  uint64_t bytes = 0;
  for (uint64_t i = 0; i < header.e_phnum; ++i) {
    ElfW(Phdr) segment;
    const uint64_t at = header.e_phoff + i * sizeof(segment);
    if (pread(fd, &segment, sizeof(segment), static_cast<off_t>(at)) != sizeof(segment)) break;
    if (segment.p_type == PT_LOAD && __builtin_add_overflow(bytes, segment.p_memsz, &bytes)) return ~uint64_t{0};
  }
  return bytes;
}

// Reads the units until they are as they should be, which the reading itself brings about where the last kernel left
// most of them idle; or gives up. What it waits is taken from `patience_ns`, which all samples of a kernel share: where
// neighbours keep a core from its usual state, waiting for it is of no use.
uint64_t WaitForUnits(ReadingBand usual, uint64_t* patience_ns) {
  constexpr uint64_t kMostNs = 1'000'000;
  const uint64_t begin = NowNs(), end = begin + std::min(kMostNs, *patience_ns);
  uint64_t reading_ns = RunUnits();
  if (usual.Contains(reading_ns)) return reading_ns;
  while (!usual.Contains(reading_ns) && NowNs() < end) reading_ns = RunUnits();
  *patience_ns -= std::min(*patience_ns, NowNs() - begin);
  return reading_ns;
}

}  // namespace

void LoadedKernel::Open(const KernelSpec& spec, std::vector<UniqueFd> files, WorkerReport* report) {
  if (files.empty()) return Fail("open the kernel", "no descriptor of its code came", report);
  if (!buffers_.Map(spec, std::span(files).subspan(1))) return Fail("map the buffers", strerror(errno), report);
  memory_limit_bytes_ = spec.memory_limit_bytes;
  code_ = std::move(files[0]);
  std::snprintf(code_path_, sizeof(code_path_), "/proc/self/fd/%d", code_.get());
  SetTrappedKernel({.code_fd = code_.get(), .code_path = code_path_, .buffers = &buffers_});
}

void LoadedKernel::Load(bool needs_prepare, WorkerReport* report) {
  const uint64_t begin = NowNs();
  // The loader does not say why it could not map a segment, so what is too large is found beforehand.
  report->amount = SegmentBytes(code_.get());
  if (report->amount > memory_limit_bytes_) {
    report->kind = WorkerReportKind::kNoMemory;
    return;
  }
  Permit(Permission::kLoading);
  library_ = dlopen(code_path_, RTLD_NOW | RTLD_LOCAL);
  code_.Reset();
  Permit(Permission::kNothing);
  report->elapsed_ns = NowNs() - begin;
  if (library_ == nullptr) {
    const char* const error = dlerror();
    return Fail("", error != nullptr ? error : "unknown error", report);
  }
  run_ = reinterpret_cast<tf_entry>(dlsym(library_, TF_RUN_SYMBOL));
  prepare_ = reinterpret_cast<tf_entry>(dlsym(library_, TF_PREPARE_SYMBOL));
  if (run_ == nullptr || (prepare_ == nullptr && needs_prepare)) Fail("", "an entry point is missing", report);
}

void LoadedKernel::Prepare(uint32_t set, WorkerReport* report) {
  buffers_.SetPreparedWritable(set, true);
  const uint64_t begin = NowNs();
  PoisonScratch();
  report->code = prepare_(buffers_.buffers(set), buffers_.workspace(), runtime_);
  report->elapsed_ns = NowNs() - begin;
  buffers_.SetPreparedWritable(set, false);
}

void LoadedKernel::Run(const WorkerCommand& command, WorkerReport* report) {
  const bool first = !std::exchange(has_run_[command.set], true);
  if (first) PoisonScratch();  // of this run the outputs are judged
  const bool timed = command.timed != 0;
  const uint64_t sentinel_ns = timed ? RunSentinel() : 0;
  if (timed) report->units_ns = WaitForUnits(command.usual_units, &patience_ns_);
  const uint64_t preemptions = Preemptions();
  switch (command.mode) {
    case RunMode::kWarm:
      RunWarm(command, report);
      break;
    case RunMode::kCold:
      RunCold(command, report);
      break;
    case RunMode::kRotating:
      RunRotating(command, report);
      break;
  }
  report->preemptions = static_cast<uint32_t>(Preemptions() - preemptions);
  if (timed) report->sentinel_ns = (sentinel_ns + RunSentinel()) / 2;
  if (first) CleanRegisters();
}

void LoadedKernel::RunWarm(const WorkerCommand& command, WorkerReport* report) {
  void* const* const buffers = buffers_.buffers(command.set);
  void* const workspace = buffers_.workspace();
  const uint64_t begin = NowNs();
  for (uint32_t i = 0; i < command.runs; ++i) report->code |= run_(buffers, workspace, runtime_);
  report->elapsed_ns = NowNs() - begin;
}

void LoadedKernel::RunCold(const WorkerCommand& command, WorkerReport* report) {
  void* const* const buffers = buffers_.buffers(command.set);
  void* const workspace = buffers_.workspace();
  for (uint32_t i = 0; i < command.runs; ++i) {
    buffers_.FlushFromCaches(command.set);
    const uint64_t begin = NowNs();
    report->code |= run_(buffers, workspace, runtime_);
    report->elapsed_ns += NowNs() - begin;
  }
}

void LoadedKernel::RunRotating(const WorkerCommand& command, WorkerReport* report) {
  if (!copies_filled_ && !buffers_.FillCopies()) return Fail("fill the copies of the buffers", strerror(errno), report);
  copies_filled_ = true;
  void* const workspace = buffers_.workspace();
  const uint32_t copies = buffers_.num_copies();
  const uint64_t begin = NowNs();
  for (uint32_t i = 0; i < command.runs; ++i) {
    report->code |= run_(buffers_.copy(next_copy_), workspace, runtime_);
    next_copy_ = next_copy_ + 1 == copies ? 0 : next_copy_ + 1;
  }
  report->elapsed_ns = NowNs() - begin;
}

void LoadedKernel::Unload(WorkerReport* report) {
  dlclose(library_);
  // The next one has the same path: the loader would take this one for it.
  Dl_info info;
  if (dladdr(reinterpret_cast<const void*>(run_), &info) != 0) Fail("close the kernel", "its code stays", report);
}

}  // namespace tunefleet::device
