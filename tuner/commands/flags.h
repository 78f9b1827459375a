// Flags of one subcommand: declared once, with help; parsed into plain variables.
//
//   argument := "--" name "=" value | "--" name value | "--" bool | "--no-" bool | "-" letter value | "--help"
//
// The last value wins. Everything else is an error that names the closest flag.
#ifndef TUNEFLEET_TUNER_COMMANDS_FLAGS_H_
#define TUNEFLEET_TUNER_COMMANDS_FLAGS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace tunefleet::tuner {

// The variables must outlive the set. Not thread-safe.
class FlagSet {
 public:
  // The subcommand's name; `head` and `examples` stand above and below the flags in the help.
  FlagSet(std::string command, std::string head, std::string examples);

  void Text(absl::string_view name, absl::string_view placeholder, absl::string_view help, std::string* value);
  // One of the choices.
  void Choice(absl::string_view name, const std::vector<std::string>& choices, absl::string_view help,
              std::string* value);
  void Integer(absl::string_view name, absl::string_view help, int64_t min, int64_t max, int64_t* value);
  void Switch(absl::string_view name, absl::string_view help, bool* value);

  // Errors: INVALID_ARGUMENT, in one line. A positional argument is one too, but for the first ones, as many as
  // `positional` has room for (it may be null: none).
  absl::Status Parse(const std::vector<std::string>& arguments, std::string* positional = nullptr);
  bool help_wanted() const { return help_wanted_; }
  std::string Help() const;

 private:
  struct Flag {
    std::string name;  // one letter: "-o", otherwise "--name"
    std::string placeholder;
    std::string help;
    bool is_switch = false;
    std::function<absl::Status(const std::string&)> set;
    std::string default_value;
    std::string Spelling() const;
  };

  void Add(Flag flag);
  Flag* Find(absl::string_view name);
  absl::Status Unknown(absl::string_view argument, absl::string_view name) const;
  absl::Status Wrong(absl::string_view flag, absl::string_view value, absl::string_view expected) const;

  const std::string command_;
  const std::string head_;
  const std::string examples_;
  std::vector<Flag> flags_;
  bool help_wanted_ = false;
};

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_COMMANDS_FLAGS_H_
