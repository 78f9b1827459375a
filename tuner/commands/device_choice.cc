#include "tuner/commands/device_choice.h"

#include <algorithm>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "codegen/operators/closest_name.h"

namespace tunefleet::tuner {
namespace {

absl::string_view Architecture(absl::string_view triple) { return triple.substr(0, triple.find('-')); }

}  // namespace

absl::StatusOr<DeviceChoice> ChooseDevice(const v1::ListDevicesResponse& devices, const std::string& device_class,
                                          const std::optional<v1::Target>& wanted, int threads) {
  std::set<std::string> classes;
  std::vector<const v1::Device*> candidates;
  for (const v1::DeviceStatus& status : devices.devices()) {
    if (status.state() == v1::DEVICE_STATE_LOST) continue;
    const v1::Device& device = status.device();
    classes.insert(device.device_class());
    if (!device_class.empty() && device.device_class() != device_class) continue;
    if (wanted.has_value() && Architecture(device.target().triple()) != Architecture(wanted->triple())) continue;
    candidates.push_back(&device);
  }
  const std::vector<std::string> known(classes.begin(), classes.end());
  if (known.empty()) return absl::NotFoundError("the tracker has no device; start tunefleet-device on one");
  if (!device_class.empty() && classes.count(device_class) == 0) {
    return absl::NotFoundError(
        absl::StrCat("no device of class '", device_class, "' is connected", codegen::Suggestion(device_class, known)));
  }
  if (candidates.empty()) {
    return absl::NotFoundError(absl::StrCat("no connected device runs ", wanted->triple(),
                                            "; there are devices of class ", absl::StrJoin(known, ", ")));
  }
  for (const v1::Device* device : candidates) {
    if (device->device_class() != candidates.front()->device_class()) {
      return absl::FailedPreconditionError(absl::StrCat("devices of several classes are connected (",
                                                        absl::StrJoin(known, ", "),
                                                        "); choose one with --device=CLASS"));
    }
  }
  const v1::Device& device =
      **std::min_element(candidates.begin(), candidates.end(),
                         [](const v1::Device* a, const v1::Device* b) { return a->device_id() < b->device_id(); });
  DeviceChoice choice{device.device_class(), device.target()};
  if (choice.target.cores() > 0 && threads > choice.target.cores()) {
    return absl::FailedPreconditionError(absl::StrCat("--threads=", threads, ": device ", device.device_id(),
                                                      " offers ", choice.target.cores(), " cores"));
  }
  if (wanted.has_value()) {
    choice.target.set_triple(wanted->triple());
    if (wanted->cpu() == choice.target.cpu()) {
      const std::set<std::string> kept(wanted->features().begin(), wanted->features().end());
      choice.target.clear_features();
      for (const std::string& feature : device.target().features()) {
        if (kept.count(feature) != 0) choice.target.add_features(feature);
      }
    } else if (!wanted->cpu().empty()) {
      choice.target.set_cpu(wanted->cpu());
      *choice.target.mutable_features() = wanted->features();
    }
  }
  choice.target.set_threads(threads);
  return choice;
}

}  // namespace tunefleet::tuner
