#include "device_server/measure/device_references.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/digest.h"

namespace tunefleet::device {
namespace {

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

}  // namespace

std::optional<Failure> DeviceReferences::Get(const KernelSession::Environment& environment, const v1::Kernel& kernel,
                                             const v1::MeasureOptions& options, KernelSession::References* references) {
  *references = {};
  if (!kernel.has_reference()) return std::nullopt;
  const v1::Kernel first = ReferenceKernel(kernel, kernel.fills());
  if (auto failure = Compute(environment, first, options, &references->outputs)) return failure;
  if (kernel.second_fills().empty()) return std::nullopt;
  const v1::Kernel second = ReferenceKernel(kernel, SecondFills(kernel));
  return Compute(environment, second, options, &references->second_outputs);
}

std::optional<Failure> DeviceReferences::Compute(const KernelSession::Environment& environment,
                                                 const v1::Kernel& reference, const v1::MeasureOptions& options,
                                                 std::map<std::string, Blob>* outputs) {
  const std::string key = common::Sha256(reference.SerializeAsString());
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.key == key; });
  if (found != entries_.end()) {
    entries_.splice(entries_.begin(), entries_, found);
    *outputs = found->outputs;
    return std::nullopt;
  }
  // Plain schedules are slow: the trial's deadline is limit enough.
  v1::MeasureOptions patient = options;
  patient.mutable_kernel_timeout()->set_seconds(absl::ToInt64Seconds(absl::Hours(24)));
  KernelSession session(environment, reference, patient);
  if (auto failure = session.Open()) {
    const bool lacking = failure->outcome == v1::OUTCOME_DEVICE_ERROR;
    return Failure{lacking ? failure->outcome : v1::OUTCOME_REFUSED, absl::StrCat("the reference: ", failure->detail)};
  }
  Entry entry{.key = key};
  for (int i = 0; i < reference.manifest().buffers_size(); ++i) {
    const v1::BufferSpec& buffer = reference.manifest().buffers(i);
    if (buffer.role() != v1::BUFFER_ROLE_OUTPUT) continue;
    entry.outputs[buffer.name()] = std::make_shared<const std::string>(session.Written(static_cast<uint32_t>(i)));
    entry.bytes += buffer.size_bytes();
  }
  *outputs = entry.outputs;
  size_bytes_ += entry.bytes;
  entries_.push_front(std::move(entry));
  while (size_bytes_ > bound_bytes_ && entries_.size() > 1) {
    size_bytes_ -= entries_.back().bytes;
    entries_.pop_back();
  }
  return std::nullopt;
}

}  // namespace tunefleet::device
