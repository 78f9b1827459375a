// The data caches of one core, as the kernel lists them.
#ifndef TUNEFLEET_DEVICE_SERVER_DESCRIBE_CACHES_H_
#define TUNEFLEET_DEVICE_SERVER_DESCRIBE_CACHES_H_

#include <string>
#include <vector>

#include "proto/workload.pb.h"

namespace tunefleet::device {

// Data and unified caches in `directory` (/sys/devices/system/cpu/cpuN/cache), by level. Empty where there is none.
std::vector<v1::CacheLevel> ReadCaches(const std::string& directory);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_DESCRIBE_CACHES_H_
