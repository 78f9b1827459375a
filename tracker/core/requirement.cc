#include "tracker/core/requirement.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace tunefleet::tracker {
namespace {

// Length first, so that no two different lists give the same text.
void AppendToken(absl::string_view token, std::string* out) { absl::StrAppend(out, token.size(), ":", token, ","); }

}  // namespace

AttributeMap DeviceAttributes(const v1::Device& device) {
  AttributeMap attributes;
  for (const v1::DeviceAttribute& attribute : device.attributes()) {
    attributes[attribute.name()].insert(attribute.values().begin(), attribute.values().end());
  }
  attributes["id"] = {device.device_id()};
  attributes["class"] = {device.device_class()};
  return attributes;
}

std::string RequirementKey(const v1::Requirement& requirement) {
  AttributeMap conditions;
  for (const v1::Condition& condition : requirement.conditions()) {
    conditions[condition.attribute()].insert(condition.all_of().begin(), condition.all_of().end());
  }
  std::string key;
  for (const auto& [attribute, values] : conditions) {
    AppendToken(attribute, &key);
    absl::StrAppend(&key, values.size(), "=");
    for (const std::string& value : values) AppendToken(value, &key);
  }
  return key;
}

bool Matches(const v1::Requirement& requirement, const AttributeMap& attributes) {
  for (const v1::Condition& condition : requirement.conditions()) {
    const auto attribute = attributes.find(condition.attribute());
    if (attribute == attributes.end()) return false;
    for (const std::string& value : condition.all_of()) {
      if (!attribute->second.contains(value)) return false;
    }
  }
  return true;
}

}  // namespace tunefleet::tracker
