#include "codegen/primitives/arguments.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace tunefleet::codegen {
namespace {

v1::PrimitiveArgument::ValueCase CaseOf(Arguments::Type type) {
  switch (type) {
    case Arguments::Type::kString:
      return v1::PrimitiveArgument::kStringValue;
    case Arguments::Type::kInts:
      return v1::PrimitiveArgument::kInts;
    case Arguments::Type::kStrings:
      return v1::PrimitiveArgument::kStrings;
  }
  return v1::PrimitiveArgument::VALUE_NOT_SET;
}

const char* NameOf(v1::PrimitiveArgument::ValueCase value) {
  switch (value) {
    case v1::PrimitiveArgument::kIntValue:
      return "a number";
    case v1::PrimitiveArgument::kStringValue:
      return "a string";
    case v1::PrimitiveArgument::kInts:
      return "a list of numbers";
    case v1::PrimitiveArgument::kStrings:
      return "a list of strings";
    case v1::PrimitiveArgument::VALUE_NOT_SET:
      break;
  }
  return "nothing";
}

}  // namespace

absl::Status Arguments::Check(const std::vector<Parameter>& parameters) const {
  for (const v1::PrimitiveArgument& argument : call_.arguments()) {
    const bool known = std::any_of(parameters.begin(), parameters.end(),
                                   [&argument](const Parameter& p) { return p.name == argument.name(); });
    if (!known) {
      return absl::InvalidArgumentError(absl::StrCat(
          "unknown argument '", argument.name(), "', expected ",
          absl::StrJoin(parameters, ", ", [](std::string* out, const Parameter& p) { absl::StrAppend(out, p.name); })));
    }
    if (Find(argument.name()) != &argument) {
      return absl::InvalidArgumentError(absl::StrCat("argument '", argument.name(), "' is given twice"));
    }
  }
  for (const Parameter& parameter : parameters) {
    const v1::PrimitiveArgument* argument = Find(parameter.name);
    if (argument == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("argument '", parameter.name, "' is missing, expected ", NameOf(CaseOf(parameter.type))));
    }
    if (argument->value_case() != CaseOf(parameter.type)) {
      return absl::InvalidArgumentError(absl::StrCat("argument '", parameter.name, "' is ",
                                                     NameOf(argument->value_case()), ", expected ",
                                                     NameOf(CaseOf(parameter.type))));
    }
  }
  return absl::OkStatus();
}

std::string Arguments::String(absl::string_view name) const { return Find(name)->string_value(); }

std::vector<int64_t> Arguments::Ints(absl::string_view name) const {
  const auto& values = Find(name)->ints().values();
  return {values.begin(), values.end()};
}

std::vector<std::string> Arguments::Strings(absl::string_view name) const {
  const auto& values = Find(name)->strings().values();
  return {values.begin(), values.end()};
}

const v1::PrimitiveArgument* Arguments::Find(absl::string_view name) const {
  for (const v1::PrimitiveArgument& argument : call_.arguments()) {
    if (argument.name() == name) return &argument;
  }
  return nullptr;
}

}  // namespace tunefleet::codegen
