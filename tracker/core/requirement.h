// Which devices a trial may run on: a conjunction of conditions over device attributes. Pure functions and values.
#ifndef TUNEFLEET_TRACKER_CORE_REQUIREMENT_H_
#define TUNEFLEET_TRACKER_CORE_REQUIREMENT_H_

#include <map>
#include <set>
#include <string>

#include "proto/fleet.pb.h"
#include "proto/measurement.pb.h"

namespace tunefleet::tracker {

// A device's attributes, with "class" and "id" always among them.
using AttributeMap = std::map<std::string, std::set<std::string>>;

AttributeMap DeviceAttributes(const v1::Device& device);

// Equal for requirements that ask for the same, in whatever order they say it. The empty requirement's key is "".
std::string RequirementKey(const v1::Requirement& requirement);

// True when the device meets every condition. A condition without values asks that the attribute is there.
bool Matches(const v1::Requirement& requirement, const AttributeMap& attributes);

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TRACKER_CORE_REQUIREMENT_H_
