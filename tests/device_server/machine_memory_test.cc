#include "device_server/measure/machine_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace tunefleet::device {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kMiB = uint64_t{1} << 20;

TEST(MachineMemoryTest, WhatIsLeftMayBeTakenButForAReserve) {
  const std::string file = ::testing::TempDir() + "/meminfo";
  std::ofstream(file) << "MemTotal:  2048000 kB\nMemFree:  1 kB\nMemAvailable:  1048576 kB\n";
  const MachineMemory memory(file);
  EXPECT_TRUE(memory.Allows("a kernel", 768 * kMiB).ok());
  const absl::Status status = memory.Allows("a kernel", 768 * kMiB + 1);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr("a kernel of 805306369 bytes: the machine has 1073741824 left"));
}

TEST(MachineMemoryTest, WhatTheMachineNeverHasIsAnotherMatter) {
  const std::string file = ::testing::TempDir() + "/meminfo";
  std::ofstream(file) << "MemTotal:  2097152 kB\nMemAvailable:  524288 kB\n";
  const MachineMemory memory(file);
  EXPECT_EQ(memory.Allows("a kernel", 1792 * kMiB).code(), absl::StatusCode::kResourceExhausted);
  const absl::Status status = memory.Allows("a kernel", 1792 * kMiB + 1);
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(status.message(), HasSubstr("the machine has 2147483648, of which 268435456 stay free"));
}

TEST(MachineMemoryTest, LittleIsAlwaysAllowedAndSoIsAllWhereNothingIsKnown) {
  const std::string file = ::testing::TempDir() + "/meminfo";
  std::ofstream(file) << "MemAvailable:  1 kB\n";
  EXPECT_TRUE(MachineMemory(file).Allows("a kernel", kMiB).ok());
  EXPECT_FALSE(MachineMemory(file).Allows("a kernel", 64 * kMiB).ok());
  EXPECT_TRUE(MachineMemory("/nowhere").Allows("a kernel", kMiB << 20).ok());
  EXPECT_FALSE(MachineMemory("/nowhere").Allows("a kernel", ~uint64_t{0}).ok());
}

}  // namespace
}  // namespace tunefleet::device
