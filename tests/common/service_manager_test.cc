#include "common/service_manager.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/support/temp_dir.h"

namespace tunefleet::common {
namespace {

class ServiceManagerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    socket_ = socket(AF_UNIX, SOCK_DGRAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof(address.sun_path) - 1);
    ASSERT_EQ(bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  }
  void TearDown() override {
    close(socket_);
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) unsetenv(name);
  }
  int socket_ = -1;
  TempDir folder_;
  const std::string path_ = folder_ / "notify";
};

TEST_F(ServiceManagerTest, IsToldThroughItsSocket) {
  EXPECT_TRUE(TellServiceManager("READY=1").ok()) << "nobody wants to know";
  setenv("NOTIFY_SOCKET", path_.c_str(), 1);
  ASSERT_TRUE(TellServiceManager("READY=1").ok());
  char text[64];
  const ssize_t count = recv(socket_, text, sizeof(text), MSG_DONTWAIT);
  EXPECT_EQ(std::string(text, count > 0 ? count : 0), "READY=1");
}

TEST_F(ServiceManagerTest, ThatDoesNotListenIsAnError) {
  for (const std::string& address : {folder_ / "nobody", std::string("relative"), std::string(200, '/')}) {
    setenv("NOTIFY_SOCKET", address.c_str(), 1);
    EXPECT_EQ(TellServiceManager("READY=1").code(), absl::StatusCode::kUnavailable) << address;
  }
}

TEST_F(ServiceManagerTest, WatchesAtTwiceTheIntervalAndOnlyItsOwnProcess) {
  EXPECT_EQ(WatchdogInterval(), absl::InfiniteDuration());
  setenv("WATCHDOG_USEC", "3000000", 1);
  EXPECT_EQ(WatchdogInterval(), absl::Seconds(1.5));
  setenv("WATCHDOG_PID", absl::StrCat(getpid()).c_str(), 1);
  EXPECT_EQ(WatchdogInterval(), absl::Seconds(1.5));
  setenv("WATCHDOG_PID", "1", 1);
  EXPECT_EQ(WatchdogInterval(), absl::InfiniteDuration());
  unsetenv("WATCHDOG_PID");
  setenv("WATCHDOG_USEC", "soon", 1);
  EXPECT_EQ(WatchdogInterval(), absl::InfiniteDuration());
}

}  // namespace
}  // namespace tunefleet::common
