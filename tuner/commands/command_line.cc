#include "tuner/commands/command_line.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "codegen/operators/closest_name.h"

namespace tunefleet::tuner {
namespace {

struct Command {
  const char* name;
  const char* summary;
  int (*run)(const std::vector<std::string>&, const CommandContext&);
};

constexpr Command kCommands[] = {
    {"tune", "search for the fastest kernel of an operator or of a whole network", TuneCommand},
    {"best", "show the best kernel known: schedule, loop nest, figures", BestCommand},
    {"explain", "show why the best kernel is as fast as it is: roofline, instructions", ExplainCommand},
    {"build", "write the best kernel as a shared library with a C header and an example", BuildCommand},
    {"measure", "time a built kernel by hand, or two side by side", MeasureCommand},
    {"records", "show what is in a record database", RecordsCommand},
    {"devices", "show a tracker's devices", DevicesCommand},
    {"jobs", "show a tracker's jobs", JobsCommand},
};

std::string Help() {
  std::string text = "tunefleet finds the fastest program for a tensor operator on the hardware you own.\n\n";
  for (const Command& command : kCommands) absl::StrAppendFormat(&text, "  %-9s%s\n", command.name, command.summary);
  return absl::StrCat(text,
                      "\n'tunefleet COMMAND --help' shows a command's flags. To begin with:\n\n"
                      "  tunefleet tune --workload=resnet18.C6 --trials=128 --records=conv.db\n"
                      "  tunefleet best --workload=resnet18.C6 --records=conv.db\n");
}

}  // namespace

int Complain(const CommandContext& context, const absl::Status& status) {
  const std::string line = absl::StrReplaceAll(status.message(), {{"\n", " "}});
  std::fprintf(context.err, "tunefleet: %s\n", line.c_str());
  return kExitBadInput;
}

int RunCommandLine(const std::vector<std::string>& arguments, const CommandContext& context) {
  if (arguments.empty()) {
    return Complain(context, absl::InvalidArgumentError("which command? 'tunefleet help' lists them"));
  }
  std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  std::string name = arguments[0];
  if (name == "help" || name == "--help" || name == "-h") {
    if (name != "help" || rest.empty()) {
      std::fputs(Help().c_str(), context.out);
      return kExitOk;
    }
    name = rest[0];
    rest = {"--help"};
  }
  if (name == "--version") {
    std::fputs("tunefleet " TUNEFLEET_VERSION "\n", context.out);
    return kExitOk;
  }
  const auto command = std::find_if(std::begin(kCommands), std::end(kCommands),
                                    [&](const Command& candidate) { return name == candidate.name; });
  if (command != std::end(kCommands)) return command->run(rest, context);
  std::vector<std::string> names;
  for (const Command& candidate : kCommands) names.push_back(candidate.name);
  return Complain(context, absl::InvalidArgumentError(
                               absl::StrCat("unknown command '", name, "'", codegen::Suggestion(name, names))));
}

}  // namespace tunefleet::tuner
