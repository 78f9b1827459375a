#include "device_server/measure/device_references.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/digest.h"

namespace tunefleet::device {
namespace {

constexpr size_t kMostEntries = 256;  // failures hold no bytes

using Fills = google::protobuf::RepeatedPtrField<v1::BufferFill>;

// The kernel's fills with the second ones in their places.
Fills SecondFills(const v1::Kernel& kernel) {
  Fills fills = kernel.fills();
  for (v1::BufferFill& fill : fills) {
    for (const v1::BufferFill& second : kernel.second_fills()) {
      if (second.buffer() == fill.buffer()) fill = second;
    }
  }
  return fills;
}

// The reference as a kernel of its own, on the fills of the buffers of the same names. Nothing is checked.
v1::Kernel ReferenceKernel(const v1::Kernel& kernel, const Fills& fills) {
  v1::Kernel reference;
  *reference.mutable_manifest() = kernel.reference();
  for (int i = 0; i < kernel.reference().buffers_size(); ++i) {
    for (const v1::BufferFill& fill : fills) {
      if (kernel.manifest().buffers(static_cast<int>(fill.buffer())).name() != kernel.reference().buffers(i).name()) {
        continue;
      }
      *reference.add_fills() = fill;
      reference.mutable_fills(reference.fills_size() - 1)->set_buffer(static_cast<uint32_t>(i));
    }
  }
  return reference;
}

// Nothing that is said of the reference: the device failed, or the trial was revoked.
bool SaysNothing(v1::Outcome outcome) {
  return outcome == v1::OUTCOME_DEVICE_ERROR || outcome == v1::OUTCOME_CANCELLED;
}

// Whether another try may fare better: the system may have ended the reference for somebody else's memory.
bool MayPass(const Failure& failure) {
  return SaysNothing(failure.outcome) || failure.outcome == v1::OUTCOME_OUT_OF_MEMORY ||
         DeservesANewWorker(failure.outcome, failure.earlier_kernels);
}

// Failures have the outcome of the reference's own run.
std::optional<Failure> Compute(const KernelSession::Environment& environment, const v1::Kernel& reference,
                               const v1::MeasureOptions& options, std::map<std::string, Blob>* outputs,
                               uint64_t* bytes) {
  KernelSession session(environment, reference, options);
  if (auto failure = session.OpenUnjudged()) {
    return Failure{failure->outcome, absl::StrCat("the reference: ", failure->detail), session.earlier_kernels()};
  }
  for (int i = 0; i < reference.manifest().buffers_size(); ++i) {
    const v1::BufferSpec& buffer = reference.manifest().buffers(i);
    if (buffer.role() != v1::BUFFER_ROLE_OUTPUT) continue;
    (*outputs)[buffer.name()] = std::make_shared<const std::string>(session.Written(static_cast<uint32_t>(i)));
    *bytes += buffer.size_bytes();
  }
  session.Close();
  return std::nullopt;
}

}  // namespace

std::optional<Failure> DeviceReferences::Get(const KernelSession::Environment& environment, const v1::Kernel& kernel,
                                             const v1::MeasureOptions& options, KernelSession::References* references) {
  *references = {};
  if (!kernel.has_reference()) return std::nullopt;
  const v1::Kernel first = ReferenceKernel(kernel, kernel.fills());
  const v1::Kernel second = ReferenceKernel(kernel, SecondFills(kernel));
  const bool has_second = !kernel.second_fills().empty();
  const std::string key = common::Sha256(absl::StrCat(common::Sha256(first.SerializeAsString()),
                                                      has_second ? common::Sha256(second.SerializeAsString()) : ""));
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.key == key; });
  if (found != entries_.end()) {
    entries_.splice(entries_.begin(), entries_, found);
    *references = found->references;
    return found->failure;
  }
  // Plain schedules are slow: the deadline is limit enough.
  v1::MeasureOptions patient = options;
  patient.mutable_kernel_timeout()->set_seconds(absl::ToInt64Seconds(absl::Hours(24)));
  Entry entry{.key = key, .failure = std::nullopt, .references = {}};
  entry.failure = Compute(environment, first, patient, &entry.references.outputs, &entry.bytes);
  if (!entry.failure && has_second) {
    entry.failure = Compute(environment, second, patient, &entry.references.second_outputs, &entry.bytes);
  }
  if (entry.failure) {
    const bool may_pass = MayPass(*entry.failure);
    if (!SaysNothing(entry.failure->outcome)) entry.failure->outcome = v1::OUTCOME_NO_REFERENCE;
    if (may_pass) return entry.failure;
    entry.references = {};
    entry.bytes = 0;
  }
  size_bytes_ += entry.bytes;
  entries_.push_front(std::move(entry));
  while ((size_bytes_ > bound_bytes_ && entries_.size() > 1) || entries_.size() > kMostEntries) {
    size_bytes_ -= entries_.back().bytes;
    entries_.pop_back();
  }
  *references = entries_.front().references;
  return entries_.front().failure;
}

}  // namespace tunefleet::device
