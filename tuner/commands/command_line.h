// The `tunefleet` program's subcommands.
#ifndef TUNEFLEET_TUNER_COMMANDS_COMMAND_LINE_H_
#define TUNEFLEET_TUNER_COMMANDS_COMMAND_LINE_H_

#include <string>
#include <vector>

#include "tuner/commands/parts.h"

namespace tunefleet::tuner {

// Each takes the arguments after its name and returns an exit status (parts.h).
int TuneCommand(const std::vector<std::string>& arguments, const CommandContext& context);
int BestCommand(const std::vector<std::string>& arguments, const CommandContext& context);
int ExplainCommand(const std::vector<std::string>& arguments, const CommandContext& context);
int BuildCommand(const std::vector<std::string>& arguments, const CommandContext& context);
int MeasureCommand(const std::vector<std::string>& arguments, const CommandContext& context);
int RecordsCommand(const std::vector<std::string>& arguments, const CommandContext& context);
int DevicesCommand(const std::vector<std::string>& arguments, const CommandContext& context);
int JobsCommand(const std::vector<std::string>& arguments, const CommandContext& context);

// The arguments of the program, without its name: picks the subcommand.
int RunCommandLine(const std::vector<std::string>& arguments, const CommandContext& context);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_COMMANDS_COMMAND_LINE_H_
