// What this machine is, as the fleet sees it: a Target for code generation, attributes for requirements, and a
// fingerprint that changes when timings stop being comparable.
#ifndef TUNEFLEET_DEVICE_SERVER_DESCRIBE_MACHINE_H_
#define TUNEFLEET_DEVICE_SERVER_DESCRIBE_MACHINE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "proto/fleet.pb.h"
#include "proto/workload.pb.h"

namespace tunefleet::device {

// `cores` are the ones that the device offers; a kernel may use `threads` of them. `root` stands before /sys: "" on a
// real machine.
v1::Target DescribeTarget(const std::vector<uint16_t>& cores, uint32_t threads, const std::string& root = "");

// "<architecture>-<cpu>", e.g. "x86_64-znver5".
std::string DefaultClass(const v1::Target& target);

// The class of a device that runs on an emulator: "emulated-" and the name, so that its times are never taken for those
// of real devices.
std::string EmulatedClass(const std::string& device_class);

// The target without what was read of the machine below the emulator: its caches and its model.
v1::Target EmulatedTarget(v1::Target target, const std::string& emulator);

std::string HostName();

// "<host>-<cores>": stable over restarts, one per core set of a machine. At most 64 characters: a long host name is
// cut, and very many cores are their digest.
std::string DefaultId(std::string host, const std::vector<uint16_t>& cores);

// What there is to know of a device beside its target.
struct DeviceTraits {
  std::string emulator;              // what the agent runs on, "" for the processor itself
  std::string core_kind;             // what tells its cores from others of the machine
  std::vector<std::string> sandbox;  // SandboxNames of what is enforced
};
v1::Device DescribeDevice(const v1::Target& target, const std::string& device_id, const std::string& device_class,
                          const DeviceTraits& traits);

// Adds one more, in its place. `values` are sorted.
void AddAttribute(const std::string& name, const std::vector<std::string>& values, v1::Device* device);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_DESCRIBE_MACHINE_H_
