#include "common/proto_time.h"

#include <gtest/gtest.h>

#include <limits>

namespace tunefleet::common {
namespace {

TEST(ProtoTimeTest, DurationsComeBackAsTheyWere) {
  for (const absl::Duration duration : {absl::ZeroDuration(), absl::Nanoseconds(1), absl::Milliseconds(1500),
                                        -absl::Milliseconds(1500), absl::Hours(24 * 365)}) {
    const google::protobuf::Duration proto = DurationToProto(duration);
    EXPECT_EQ(DurationFromProto(proto), duration);
    EXPECT_GE(int64_t{proto.nanos()} * proto.seconds(), 0) << "of one sign";
  }
  EXPECT_EQ(DurationToProto(absl::Milliseconds(1500)).seconds(), 1);
  EXPECT_EQ(DurationToProto(absl::Milliseconds(1500)).nanos(), 500'000'000);
}

TEST(ProtoTimeTest, WhatIsTooLongDoesNotComeBackShort) {
  google::protobuf::Duration endless;
  endless.set_seconds(std::numeric_limits<int64_t>::max());
  endless.set_nanos(std::numeric_limits<int32_t>::max());
  EXPECT_GT(DurationFromProto(endless), absl::Hours(24 * 365 * 200));
  endless.set_seconds(std::numeric_limits<int64_t>::min());
  EXPECT_LT(DurationFromProto(endless), -absl::Hours(24 * 365 * 200));
  EXPECT_GT(DurationFromProto(DurationToProto(absl::InfiniteDuration())), absl::Hours(24 * 365 * 200));
}

TEST(ProtoTimeTest, AnInstantIsWhatHasPassedSince1970) {
  const google::protobuf::Timestamp proto = TimestampToProto(absl::UnixEpoch() + absl::Milliseconds(2500));
  EXPECT_EQ(proto.seconds(), 2);
  EXPECT_EQ(proto.nanos(), 500'000'000);
}

}  // namespace
}  // namespace tunefleet::common
