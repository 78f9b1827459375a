#include "device_server/describe/sys_file.h"

#include <fstream>

#include "absl/strings/numbers.h"

namespace tunefleet::device {

std::string ReadSysLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::optional<double> ReadSysNumber(const std::string& path) {
  double number = 0;
  if (!absl::SimpleAtod(ReadSysLine(path), &number)) return std::nullopt;
  return number;
}

}  // namespace tunefleet::device
