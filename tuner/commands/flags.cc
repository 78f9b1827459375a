#include "tuner/commands/flags.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "codegen/operators/closest_name.h"
#include "common/status_macros.h"

namespace tunefleet::tuner {
namespace {

std::string Dashed(absl::string_view name) { return absl::StrCat(name.size() == 1 ? "-" : "--", name); }

}  // namespace

FlagSet::FlagSet(std::string command, std::string head, std::string examples)
    : command_(std::move(command)), head_(std::move(head)), examples_(std::move(examples)) {}

std::string FlagSet::Flag::Spelling() const {
  if (is_switch) return Dashed(name);
  return absl::StrCat(Dashed(name), name.size() == 1 ? " " : "=", placeholder);
}

void FlagSet::Add(Flag flag) { flags_.push_back(std::move(flag)); }

void FlagSet::Text(absl::string_view name, absl::string_view placeholder, absl::string_view help, std::string* value) {
  Flag flag{std::string(name), std::string(placeholder), std::string(help)};
  flag.default_value = *value;
  flag.set = [this, name = std::string(name), value](const std::string& text) {
    if (text.empty()) return Wrong(name, text, "a value");
    *value = text;
    return absl::OkStatus();
  };
  Add(std::move(flag));
}

void FlagSet::Choice(absl::string_view name, const std::vector<std::string>& choices, absl::string_view help,
                     std::string* value) {
  Flag flag{std::string(name), absl::StrJoin(choices, "|"), std::string(help)};
  flag.default_value = *value;
  flag.set = [this, name = std::string(name), choices, value](const std::string& text) {
    if (std::find(choices.begin(), choices.end(), text) == choices.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat(command_, ": ", Dashed(name), "='", text, "' is unknown", codegen::Suggestion(text, choices)));
    }
    *value = text;
    return absl::OkStatus();
  };
  Add(std::move(flag));
}

void FlagSet::Integer(absl::string_view name, absl::string_view help, int64_t min, int64_t max, int64_t* value) {
  Flag flag{std::string(name), "N", std::string(help)};
  flag.default_value = absl::StrCat(*value);
  flag.set = [this, name = std::string(name), min, max, value](const std::string& text) {
    int64_t number = 0;
    if (!absl::SimpleAtoi(text, &number) || number < min || number > max) {
      return Wrong(name, text, absl::StrCat("an integer from ", min, " to ", max));
    }
    *value = number;
    return absl::OkStatus();
  };
  Add(std::move(flag));
}

void FlagSet::Switch(absl::string_view name, absl::string_view help, bool* value) {
  Flag flag{std::string(name), "", std::string(help), /*is_switch=*/true};
  flag.set = [this, name = std::string(name), value](const std::string& text) {
    if (text != "true" && text != "false") return Wrong(name, text, "true or false");
    *value = text == "true";
    return absl::OkStatus();
  };
  Add(std::move(flag));
}

FlagSet::Flag* FlagSet::Find(absl::string_view name) {
  const auto found = std::find_if(flags_.begin(), flags_.end(), [&](const Flag& flag) { return flag.name == name; });
  return found == flags_.end() ? nullptr : &*found;
}

absl::Status FlagSet::Unknown(absl::string_view argument, absl::string_view name) const {
  std::vector<std::string> names;
  for (const Flag& flag : flags_) names.push_back(flag.name);
  const std::string nearest = codegen::ClosestName(name, names);
  return absl::InvalidArgumentError(
      absl::StrCat(command_, ": unknown flag ", argument,
                   nearest.empty() ? absl::StrCat("; 'tunefleet ", command_, " --help' lists the flags")
                                   : absl::StrCat("; did you mean ", Dashed(nearest), "?")));
}

absl::Status FlagSet::Wrong(absl::string_view flag, absl::string_view value, absl::string_view expected) const {
  return absl::InvalidArgumentError(absl::StrCat(command_, ": ", Dashed(flag), "='", value, "': expected ", expected));
}

absl::Status FlagSet::Parse(const std::vector<std::string>& arguments, std::string* positional) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--help" || argument == "-h") {
      help_wanted_ = true;
      return absl::OkStatus();
    }
    if (argument.size() < 2 || argument[0] != '-') {
      if (positional != nullptr && positional->empty() && !argument.empty()) {
        *positional = argument;
        continue;
      }
      return absl::InvalidArgumentError(
          absl::StrCat(command_, ": unexpected argument '", argument, "'; flags are written --name=value"));
    }
    absl::string_view name = argument;
    if (!absl::ConsumePrefix(&name, "--")) absl::ConsumePrefix(&name, "-");
    const size_t equals = name.find('=');
    const bool has_value = equals != absl::string_view::npos;
    std::string value = has_value ? std::string(name.substr(equals + 1)) : "";
    name = name.substr(0, equals);
    Flag* flag = Find(name);
    if (flag == nullptr && !has_value && absl::ConsumePrefix(&name, "no-")) {
      flag = Find(name);
      if (flag != nullptr && !flag->is_switch) flag = nullptr;
      value = "false";
    } else if (flag != nullptr && flag->is_switch && !has_value) {
      value = "true";
    } else if (flag != nullptr && !has_value) {
      if (++i >= arguments.size()) return Wrong(name, "", absl::StrCat("a value, as in ", flag->Spelling()));
      value = arguments[i];
    }
    if (flag == nullptr) return Unknown(argument, name);
    TF_RETURN_IF_ERROR(flag->set(value));
  }
  return absl::OkStatus();
}

std::string FlagSet::Help() const {
  size_t width = 0;
  for (const Flag& flag : flags_) width = std::max(width, std::min<size_t>(flag.Spelling().size(), 34));
  std::string text = absl::StrCat(head_, "\n\n");
  for (const Flag& flag : flags_) {
    std::string spelling = flag.Spelling();
    if (spelling.size() < width) spelling.append(width - spelling.size(), ' ');
    absl::StrAppend(&text, "  ", spelling, "  ", flag.help);
    if (!flag.default_value.empty() && flag.default_value != "0") {
      absl::StrAppend(&text, " (default ", flag.default_value, ")");
    }
    absl::StrAppend(&text, "\n");
  }
  if (!examples_.empty()) absl::StrAppend(&text, "\nExamples\n", examples_);
  return text;
}

}  // namespace tunefleet::tuner
