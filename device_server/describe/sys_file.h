// Files of /sys and /proc: one short line each.
#ifndef TUNEFLEET_DEVICE_SERVER_DESCRIBE_SYS_FILE_H_
#define TUNEFLEET_DEVICE_SERVER_DESCRIBE_SYS_FILE_H_

#include <optional>
#include <string>

namespace tunefleet::device {

// The first line; "" when there is no such file.
std::string ReadSysLine(const std::string& path);

// Nullopt when there is no such file, or it holds no number.
std::optional<double> ReadSysNumber(const std::string& path);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_DESCRIBE_SYS_FILE_H_
