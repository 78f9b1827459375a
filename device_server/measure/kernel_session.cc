#include "device_server/measure/kernel_session.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/check.h"
#include "common/clock.h"
#include "common/proto_time.h"
#include "common/status_macros.h"
#include "device_server/verify/compare.h"
#include "device_server/worker/cache_flush.h"

namespace tunefleet::device {
namespace {

absl::Time Now() { return common::MonotonicClock().Now(); }

// Adds the time until the end of the scope.
class Stopwatch {
 public:
  explicit Stopwatch(absl::Duration* sum) : sum_(sum), begin_(Now()) {}
  ~Stopwatch() { *sum_ += Now() - begin_; }

 private:
  absl::Duration* const sum_;
  const absl::Time begin_;
};

std::span<const std::byte> Bytes(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

// NaN has a sign that nobody wants to read.
std::string NumberText(double value) { return std::isnan(value) ? "nan" : absl::StrFormat("%.9g", value); }

// The set with the second fills, where there are any.
constexpr uint32_t kSecondSet = 1;

// A kernel whose runs are fast and whose next one hangs is given up after about its time-out, however many runs were
// asked for.
constexpr int kSlowdown = 20;

// Judged after the last sample, one after the other, so that a kernel that works in every second run alone is found.
constexpr int kLastRuns = 2;

// Where the machine tells nothing about its caches.
constexpr uint64_t kPrivateCacheBytes = uint64_t{2} << 20;
constexpr uint64_t kLastCacheBytes = uint64_t{32} << 20;

RunMode ModeOf(v1::CacheMode mode) {
  if (mode == v1::CACHE_MODE_COLD) return RunMode::kCold;
  return mode == v1::CACHE_MODE_ROTATING ? RunMode::kRotating : RunMode::kWarm;
}

absl::StatusOr<std::unique_ptr<BufferFile>> MakePoisoned(const v1::BufferSpec& spec, BufferLayout layout) {
  TF_ASSIGN_OR_RETURN(std::unique_ptr<BufferFile> file, BufferFile::Create(spec, layout));
  // Not zero, which new memory is: what was never written shows.
  std::ranges::fill(file->data(), std::byte{0xff});
  return file;
}

}  // namespace

KernelSession::KernelSession(const Environment& environment, const v1::Kernel& kernel,
                             const v1::MeasureOptions& options)
    : environment_(environment), kernel_(kernel), options_(options), mode_(ModeOf(options.cache_mode())) {}

KernelSession::~KernelSession() {
  if (worker_ != nullptr) environment_.workers->Close(std::move(worker_), /*clean=*/false);
}

void KernelSession::Close() { environment_.workers->Close(std::move(worker_), /*clean=*/true); }

uint32_t KernelSession::CopiesToRotate() const {
  if (mode_ != RunMode::kRotating) return 0;
  const uint64_t private_bytes =
      environment_.private_cache_bytes > 0 ? environment_.private_cache_bytes : kPrivateCacheBytes;
  const uint64_t wanted = options_.rotate_bytes() > 0 ? options_.rotate_bytes() : 2 * private_bytes;
  return static_cast<uint32_t>(std::clamp<uint64_t>(wanted / (SetBytes() + 1) + 1, 2, kMaxCopies));
}

uint64_t KernelSession::SetBytes() const {
  uint64_t bytes = 0;
  for (const v1::BufferSpec& buffer : kernel_.manifest().buffers()) bytes += LayoutFileBytes(buffer);
  return bytes;
}

uint64_t KernelSession::EvictionBytes() const {
  if (mode_ != RunMode::kCold || CanFlushCaches()) return 0;
  return 2 * (environment_.last_cache_bytes > 0 ? environment_.last_cache_bytes : kLastCacheBytes);
}

uint64_t KernelSession::BytesToMake() const {
  const auto& buffers = kernel_.manifest().buffers();
  uint64_t bytes = LayoutFileBytes(WorkspaceSpec()) + EvictionBytes() + CopiesToRotate() * SetBytes();
  // What the cache holds of the fills is there already.
  const auto add = [&](const v1::BufferSpec& buffer, const v1::BufferFill* fill, BufferLayout layout) {
    if (fill == nullptr || !environment_.fills->Holds(*fill, buffer, layout)) bytes += LayoutFileBytes(buffer);
  };
  const std::vector<const v1::BufferFill*> fills = FillOfEachBuffer();
  for (int i = 0; i < buffers.size(); ++i) {
    add(buffers[i], fills[i], BufferLayout::kEndsAtGuard);
    const bool moves = LayoutOffset(buffers[i], BufferLayout::kEndsAtGuard) != 0;
    if (moves) add(buffers[i], fills[i], BufferLayout::kStartsAtGuard);
  }
  for (const v1::BufferFill& fill : kernel_.second_fills()) {
    add(buffers[static_cast<int>(fill.buffer())], &fill, BufferLayout::kEndsAtGuard);
  }
  return bytes;
}

std::vector<const v1::BufferFill*> KernelSession::FillOfEachBuffer() const {
  std::vector<const v1::BufferFill*> fills(static_cast<size_t>(kernel_.manifest().buffers_size()), nullptr);
  for (const v1::BufferFill& fill : kernel_.fills()) fills[fill.buffer()] = &fill;
  return fills;
}

v1::BufferSpec KernelSession::WorkspaceSpec() const {
  constexpr uint32_t kAlignment = 64;
  v1::BufferSpec spec;
  spec.set_name("workspace");
  spec.set_size_bytes(kernel_.manifest().workspace_bytes());
  spec.set_alignment(kAlignment);
  return spec;
}

bool KernelSession::HasTwoLayouts() const {
  const auto& buffers = kernel_.manifest().buffers();
  return std::any_of(buffers.begin(), buffers.end(), [](const v1::BufferSpec& buffer) {
    return LayoutOffset(buffer, BufferLayout::kEndsAtGuard) != LayoutOffset(buffer, BufferLayout::kStartsAtGuard);
  });
}

absl::Status KernelSession::MakeBuffers() {
  const v1::ArtifactManifest& manifest = kernel_.manifest();
  const int count = manifest.buffers_size();
  const std::vector<const v1::BufferFill*> fills = FillOfEachBuffer();
  TF_ASSIGN_OR_RETURN(workspace_, MakePoisoned(WorkspaceSpec(), BufferLayout::kEndsAtGuard));
  sets_.resize(HasTwoLayouts() ? 2 : 1);
  for (size_t set = 0; set < sets_.size(); ++set) {
    const BufferLayout layout = set == 0 ? BufferLayout::kEndsAtGuard : BufferLayout::kStartsAtGuard;
    for (int i = 0; i < count; ++i) {
      const v1::BufferSpec& buffer = manifest.buffers(i);
      if (fills[i] != nullptr) {
        TF_ASSIGN_OR_RETURN(std::shared_ptr<BufferFile> file,
                            environment_.fills->Get(*fills[i], buffer, layout, *environment_.blobs));
        sets_[set].push_back(std::move(file));
      } else if (set == 1 && sets_[0][i]->offset() == LayoutOffset(buffer, layout)) {
        sets_[set].push_back(sets_[0][i]);
      } else {
        TF_ASSIGN_OR_RETURN(std::shared_ptr<BufferFile> file, MakePoisoned(buffer, layout));
        sets_[set].push_back(std::move(file));
      }
    }
  }
  for (const v1::OutputCheck& check : kernel_.checks()) {
    TF_ASSIGN_OR_RETURN(references_.emplace_back(),
                        GetReference(check, check.reference_digest(), &References::outputs));
  }
  return kernel_.second_fills().empty() ? absl::OkStatus() : MakeSecondSet();
}

absl::Status KernelSession::MakeSecondSet() {
  if (sets_.size() == 1) sets_.push_back(sets_[0]);  // the timed one, which stays the last
  sets_.insert(sets_.begin() + kSecondSet, sets_[0]);
  for (const v1::BufferFill& fill : kernel_.second_fills()) {
    const v1::BufferSpec& buffer = kernel_.manifest().buffers(static_cast<int>(fill.buffer()));
    TF_ASSIGN_OR_RETURN(sets_[kSecondSet][fill.buffer()],
                        environment_.fills->Get(fill, buffer, BufferLayout::kEndsAtGuard, *environment_.blobs));
  }
  for (const v1::OutputCheck& check : kernel_.checks()) {
    TF_ASSIGN_OR_RETURN(second_references_.emplace_back(),
                        GetReference(check, check.second_reference_digest(), &References::second_outputs));
  }
  return absl::OkStatus();
}

absl::StatusOr<Blob> KernelSession::GetReference(const v1::OutputCheck& check, const std::string& digest,
                                                 std::map<std::string, Blob> References::*own) const {
  const v1::BufferSpec& buffer = kernel_.manifest().buffers(static_cast<int>(check.buffer()));
  if (digest.empty()) {
    const std::map<std::string, Blob>& outputs = environment_.references->*own;
    const auto found = outputs.find(buffer.name());
    TF_CHECK(found != outputs.end(), "a trial that passed its check lacks a reference");
    return found->second;
  }
  TF_ASSIGN_OR_RETURN(Blob reference, environment_.blobs->Get(digest));
  if (reference->size() == buffer.size_bytes()) return reference;
  return absl::InvalidArgumentError(absl::StrCat("output '", buffer.name(), "' has ", buffer.size_bytes(),
                                                 " bytes, its reference ", reference->size()));
}

WorkerSpec KernelSession::MakeWorkerSpec() const {
  WorkerSpec spec;
  spec.real_time = environment_.real_time ? 1 : 0;
  spec.threads = options_.threads();
  spec.num_cores = static_cast<uint32_t>(std::min<size_t>(environment_.cores.size(), kMaxCores));
  std::copy_n(environment_.cores.begin(), spec.num_cores, spec.cores);
  return spec;
}

KernelSpec KernelSession::MakeKernelSpec(std::vector<int>* fds) const {
  const v1::ArtifactManifest& manifest = kernel_.manifest();
  KernelSpec spec;
  spec.num_buffers = static_cast<uint32_t>(manifest.buffers_size());
  spec.num_sets = static_cast<uint32_t>(sets_.size());
  uint32_t file_count = 0;
  for (size_t set = 0; set < sets_.size(); ++set) {
    for (size_t i = 0; i < sets_[set].size(); ++i) {
      const BufferFile& file = *sets_[set][i];
      spec.buffers[set][i] = {.file_bytes = file.file_bytes(),
                              .offset = file.offset(),
                              .size = file.data().size(),
                              .fd_index = file_count++,
                              .role = static_cast<uint32_t>(manifest.buffers(static_cast<int>(i)).role())};
      fds->push_back(file.fd());
    }
  }
  spec.copies = CopiesToRotate();
  spec.eviction_bytes = EvictionBytes();
  spec.workspace = {.file_bytes = workspace_->file_bytes(),
                    .offset = workspace_->offset(),
                    .size = workspace_->data().size(),
                    .fd_index = file_count};
  fds->push_back(workspace_->fd());
  spec.memory_limit_bytes = options_.memory_limit_bytes();
  const absl::Duration left = std::max(environment_.deadline - Now(), absl::Seconds(1));
  const double cpu_seconds = std::ceil(absl::ToDoubleSeconds(std::min(left, absl::Hours(24))));
  spec.cpu_seconds = static_cast<uint32_t>(cpu_seconds) * options_.threads() + 1;
  return spec;
}

std::optional<Failure> KernelSession::OpenInWorker() {
  const absl::StatusOr<Blob> code = environment_.blobs->Get(kernel_.manifest().code_digest());
  if (!code.ok()) return Failure{v1::OUTCOME_DEVICE_ERROR, std::string(code.status().message())};
  const absl::StatusOr<UniqueFd> code_file = MakeCodeFile(Bytes(**code));
  if (!code_file.ok()) return Failure{v1::OUTCOME_DEVICE_ERROR, std::string(code_file.status().message())};
  std::vector<int> fds = {code_file->get()};
  const KernelSpec spec = MakeKernelSpec(&fds);
  std::optional<Failure> failure =
      environment_.workers->Open(MakeWorkerSpec(), spec, fds, kernel_.manifest(), &worker_);
  worker_->handle.set_cancelled(environment_.cancelled);
  time_check_.emplace(SetBytes() + workspace_->file_bytes());
  worker_kernels_ = worker_->life.earlier_kernels();
  scheduling_ = worker_->handle.scheduling();
  return failure;
}

absl::Duration KernelSession::Limit(absl::Duration timeout) const {
  return std::max(std::min(timeout, environment_.deadline - Now()), absl::Milliseconds(1));
}

std::optional<Failure> KernelSession::OpenUnjudged() {
  {
    const Stopwatch watch(&environment_.times->load);
    // What does not fit together, or never on this machine, is the client's doing: it must not count as a fault of the
    // device, which would be quarantined for it. What does not fit at the moment says nothing about the candidate.
    const absl::Status room = environment_.memory->Allows("a kernel's buffers, workspace and copies", BytesToMake());
    if (!room.ok()) {
      const bool never = absl::IsOutOfRange(room);
      return Failure{never ? v1::OUTCOME_REFUSED : v1::OUTCOME_DEVICE_ERROR, std::string(room.message())};
    }
    if (const absl::Status status = MakeBuffers(); !status.ok()) {
      const bool refused = absl::IsInvalidArgument(status);
      return Failure{refused ? v1::OUTCOME_REFUSED : v1::OUTCOME_DEVICE_ERROR, std::string(status.message())};
    }
    if (auto failure = OpenInWorker()) return failure;
    if (auto failure = RunSentinel(&sentinel_before_ns_)) return failure;
    const bool has_prepare = kernel_.manifest().has_prepare();
    const WorkerHandle::Reply loaded =
        worker_->handle.Load(has_prepare, Limit(common::DurationFromProto(options_.load_timeout())));
    if (loaded.failure) return loaded.failure;
  }
  if (auto failure = Prepare(0)) return failure;
  PoisonOutputs(0);
  return RunOnce(0);
}

std::optional<Failure> KernelSession::Open() {
  if (auto failure = OpenUnjudged()) return failure;
  if (auto failure = Verify(0)) return failure;
  if (!second_references_.empty()) {
    PoisonOutputs(kSecondSet);
    if (auto failure = RunOnce(kSecondSet)) return failure;
    if (auto failure = Verify(kSecondSet)) return failure;
  }
  if (timed_set() != 0) {
    if (auto failure = Prepare(timed_set())) return failure;
  }
  PoisonOutputs(timed_set());
  return RunOnce(timed_set());
}

std::optional<Failure> KernelSession::Prepare(uint32_t set) {
  if (!kernel_.manifest().has_prepare()) return std::nullopt;
  const Stopwatch watch(&environment_.times->prepare);
  return worker_->handle.Prepare(set, Limit(common::DurationFromProto(options_.load_timeout()))).failure;
}

std::optional<Failure> KernelSession::RunOnce(uint32_t set) {
  const Stopwatch watch(&environment_.times->run);
  return worker_->handle.RunOnce(set, Limit(common::DurationFromProto(options_.kernel_timeout()))).failure;
}

std::optional<Failure> KernelSession::RunSentinel(uint64_t* reading_ns) {
  const WorkerHandle::Reply reply = worker_->handle.RunSentinel();
  *reading_ns = static_cast<uint64_t>(absl::ToInt64Nanoseconds(reply.elapsed));
  return reply.failure;
}

std::optional<Failure> KernelSession::WarmUp() { return RunOnce(timed_set()); }

std::optional<Failure> KernelSession::Sample(uint32_t runs, absl::Duration expected, v1::Sample* sample) {
  const Stopwatch watch(&environment_.times->run);
  const absl::Duration timeout = common::DurationFromProto(options_.kernel_timeout()) + expected * kSlowdown;
  const WorkerHandle::Reply reply =
      worker_->handle.RunTimed(timed_set(), runs, mode_, environment_.usual_units, Limit(timeout));
  time_check_->AddSample(runs, reply.elapsed, reply.seen, mode_ == RunMode::kCold);
  sample->set_total_ns(static_cast<uint64_t>(std::max<int64_t>(absl::ToInt64Nanoseconds(reply.elapsed), 1)));
  sample->set_runs(runs);
  sample->set_preemptions(reply.preemptions);
  sample->set_sentinel_ns(static_cast<uint64_t>(absl::ToInt64Nanoseconds(reply.sentinel)));
  sample->set_units_ns(static_cast<uint64_t>(absl::ToInt64Nanoseconds(reply.units)));
  return reply.failure;
}

void KernelSession::PoisonOutputs(uint32_t set) {
  const Stopwatch watch(&environment_.times->verify);
  for (const v1::OutputCheck& check : kernel_.checks()) Poison(check.dtype(), sets_[set][check.buffer()]->data());
}

std::optional<Failure> KernelSession::RunJudged() {
  PoisonOutputs(timed_set());
  {
    const Stopwatch watch(&environment_.times->run);
    const WorkerHandle::Reply reply =
        worker_->handle.RunOnce(timed_set(), Limit(common::DurationFromProto(options_.kernel_timeout())));
    if (reply.failure) return reply.failure;
    time_check_->AddJudgedRun(reply.seen);
  }
  return Verify(timed_set());
}

std::optional<Failure> KernelSession::VerifyOutputs(bool censored) {
  if (censored && mode_ != RunMode::kRotating) return Verify(timed_set());
  for (int i = 0; i < (censored ? 1 : kLastRuns); ++i) {
    if (auto failure = RunJudged()) return failure;
  }
  if (censored) return std::nullopt;
  while (time_check_->WantsEvidence()) {
    const WorkerHandle::Reply idle = worker_->handle.RunSentinel();
    if (idle.failure) return idle.failure;
    time_check_->AddIdleExchange(idle.seen);
    if (auto failure = RunJudged()) return failure;
  }
  if (std::string doubt = time_check_->Doubt(); !doubt.empty()) return Failure{v1::OUTCOME_CRASHED, std::move(doubt)};
  return std::nullopt;
}

std::optional<Failure> KernelSession::Verify(uint32_t set) {
  const Stopwatch watch(&environment_.times->verify);
  const std::vector<Blob>& references =
      set == kSecondSet && !second_references_.empty() ? second_references_ : references_;
  std::optional<Failure> failure;
  for (int i = 0; i < kernel_.checks_size(); ++i) {
    const v1::OutputCheck& check = kernel_.checks(i);
    const v1::BufferSpec& buffer = kernel_.manifest().buffers(static_cast<int>(check.buffer()));
    const Comparison result = Compare(sets_[set][check.buffer()]->data(), Bytes(*references[i]), check);
    max_error_ = std::max(max_error_, result.max_error);
    max_error_ratio_ = std::max(max_error_ratio_, result.max_error_ratio);
    if (!result.pass && !failure) {
      failure = Failure{v1::OUTCOME_WRONG_ANSWER,
                        absl::StrFormat("output '%s' element %d is %s, expected %.9g; the largest error is %.3g, "
                                        "%.3g times what is allowed",
                                        buffer.name(), result.first_wrong, NumberText(result.value), result.reference,
                                        result.max_error, result.max_error_ratio)};
    }
  }
  for (int i = 0; i < kernel_.manifest().buffers_size() && !failure; ++i) {
    const v1::BufferSpec& buffer = kernel_.manifest().buffers(i);
    const bool writable = buffer.role() == v1::BUFFER_ROLE_OUTPUT || buffer.role() == v1::BUFFER_ROLE_PREPARED;
    if (writable && !sets_[set][i]->CanaryIntact()) {
      failure =
          Failure{v1::OUTCOME_WRONG_ANSWER, absl::StrCat("the kernel wrote outside of buffer '", buffer.name(), "'")};
    }
  }
  if (!failure && !workspace_->CanaryIntact()) {
    failure = Failure{v1::OUTCOME_WRONG_ANSWER, "the kernel wrote outside of its workspace"};
  }
  return failure;
}

std::string KernelSession::Written(uint32_t buffer) const {
  const std::span<const std::byte> data = sets_[0][buffer]->data();
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}

void KernelSession::Report(v1::KernelResult* result) const {
  result->set_code_digest(kernel_.manifest().code_digest());
  result->set_max_error(max_error_);
  result->set_max_error_ratio(max_error_ratio_);
  result->set_worker_kernels(worker_kernels_);
}

}  // namespace tunefleet::device
