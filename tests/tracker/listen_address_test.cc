#include "tracker/listen_address.h"

#include <gtest/gtest.h>

namespace tunefleet::tracker {
namespace {

TEST(ListenAddressTest, LoopbackAndUnixAreTaken) {
  EXPECT_EQ(ParseListenAddress("127.0.0.1:0")->WithPort(5), "127.0.0.1:5");
  EXPECT_EQ(ParseListenAddress("localhost:9190")->port, 9190);
  EXPECT_EQ(ParseListenAddress("[::1]:80")->WithPort(80), "[::1]:80");
  EXPECT_EQ(ParseListenAddress("unix:/a/b")->WithPort(0), "unix:/a/b");
}

TEST(ListenAddressTest, PublicAddressIsRefusedForWantOfTls) {
  for (const char* text : {"0.0.0.0:9190", "192.168.1.5:9190", "[::]:9190", "example.org:1"}) {
    EXPECT_EQ(ParseListenAddress(text).status().code(), absl::StatusCode::kPermissionDenied) << text;
  }
}

TEST(ListenAddressTest, OtherFormsAreRefused) {
  for (const char* text : {"", "127.0.0.1", ":80", "127.0.0.1:65536", "127.0.0.1:x", "::1:80", "unix:"}) {
    EXPECT_EQ(ParseListenAddress(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
  EXPECT_FALSE(ParseListenAddress("unix:/" + std::string(200, 'x')).ok());
}

}  // namespace
}  // namespace tunefleet::tracker
