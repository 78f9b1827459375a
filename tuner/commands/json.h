// JSON for machines: objects on one line, built field by field.
#ifndef TUNEFLEET_TUNER_COMMANDS_JSON_H_
#define TUNEFLEET_TUNER_COMMANDS_JSON_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tunefleet::tuner {

// A string with its quotes. Bytes that are not UTF-8 become U+FFFD.
std::string JsonString(absl::string_view text);
// [a,b,c] of values that are JSON already.
std::string JsonArray(const std::vector<std::string>& values);

// Fields appear in the order in which they were added.
class JsonObject {
 public:
  JsonObject& Text(absl::string_view name, absl::string_view value);
  JsonObject& Integer(absl::string_view name, int64_t value);
  JsonObject& Number(absl::string_view name, double value);  // null when it is not finite
  JsonObject& Bool(absl::string_view name, bool value);
  JsonObject& Null(absl::string_view name);
  JsonObject& Raw(absl::string_view name, absl::string_view json);
  std::string Print() const;

 private:
  std::string fields_;
};

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_COMMANDS_JSON_H_
