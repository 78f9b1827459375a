#include "tuner/commands/json.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace tunefleet::tuner {
namespace {

// Length of the well-formed UTF-8 sequence at the beginning of the text; 0: there is none.
size_t Utf8Length(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const size_t length = first < 0x80                    ? 1
                        : first >= 0xc2 && first < 0xe0 ? 2
                        : first >= 0xe0 && first < 0xf0 ? 3
                        : first >= 0xf0 && first < 0xf5 ? 4
                                                        : 0;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  if (length == 3 && ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) >= 0xa0))) return 0;
  if (length == 4 && ((first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) >= 0x90))) return 0;
  return length;
}

}  // namespace

std::string JsonString(absl::string_view text) {
  std::string json = "\"";
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    const char first = text[0];
    if (length == 0) {
      json += "\\ufffd";
    } else if (first == '"' || first == '\\') {
      json += '\\';
      json += first;
    } else if (first == '\n') {
      json += "\\n";
    } else if (length == 1 && static_cast<unsigned char>(first) < 0x20) {
      absl::StrAppendFormat(&json, "\\u%04x", first);
    } else {
      absl::StrAppend(&json, text.substr(0, length));
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return json + "\"";
}

std::string JsonArray(const std::vector<std::string>& values) {
  return absl::StrCat("[", absl::StrJoin(values, ","), "]");
}

JsonObject& JsonObject::Raw(absl::string_view name, absl::string_view json) {
  absl::StrAppend(&fields_, fields_.empty() ? "" : ",", JsonString(name), ":", json);
  return *this;
}

JsonObject& JsonObject::Text(absl::string_view name, absl::string_view value) { return Raw(name, JsonString(value)); }
JsonObject& JsonObject::Integer(absl::string_view name, int64_t value) { return Raw(name, absl::StrCat(value)); }
JsonObject& JsonObject::Number(absl::string_view name, double value) {
  return std::isfinite(value) ? Raw(name, absl::StrFormat("%.12g", value)) : Null(name);
}
JsonObject& JsonObject::Bool(absl::string_view name, bool value) { return Raw(name, value ? "true" : "false"); }
JsonObject& JsonObject::Null(absl::string_view name) { return Raw(name, "null"); }
std::string JsonObject::Print() const { return absl::StrCat("{", fields_, "}"); }

}  // namespace tunefleet::tuner
