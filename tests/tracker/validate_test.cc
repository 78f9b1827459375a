#include "tracker/core/validate.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/tracker/core_harness.h"

namespace tunefleet::tracker {
namespace {

absl::StatusCode Changed(const std::function<void(v1::Trial*)>& change) {
  v1::Trial trial = MakeTrial("t", "1");
  change(&trial);
  return ValidateTrial(trial).code();
}

TEST(ValidateTest, TrialIsBoundedAndChecked) {
  constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_EQ(Changed([](v1::Trial*) {}), absl::StatusCode::kOk);
  EXPECT_EQ(Changed([](v1::Trial* t) { t->set_trial_id(""); }), kInvalid);
  EXPECT_EQ(Changed([](v1::Trial* t) { t->set_trial_id("a/b"); }), kInvalid);
  EXPECT_EQ(Changed([](v1::Trial* t) { t->set_trial_id(std::string(65, 'a')); }), kInvalid);
  EXPECT_EQ(Changed([](v1::Trial* t) { t->clear_kernels(); }), kInvalid);
  EXPECT_EQ(Changed([](v1::Trial* t) { t->mutable_kernels(0)->mutable_manifest()->set_code_digest("short"); }),
            kInvalid);
  EXPECT_EQ(Changed([](v1::Trial* t) { t->mutable_kernels(0)->add_fills()->set_seed(1); }), kInvalid) << "no buffer 0";
  EXPECT_EQ(Changed([](v1::Trial* t) { t->mutable_kernels(0)->add_second_fills()->set_seed(1); }), kInvalid);
  const auto lattice = [](v1::DataType dtype, uint32_t bits) {
    return Changed([&](v1::Trial* t) {
      t->mutable_kernels(0)->mutable_manifest()->add_buffers();
      v1::BufferFill* fill = t->mutable_kernels(0)->add_fills();
      fill->set_dtype(dtype);
      fill->mutable_lattice()->set_fraction_bits(bits);
    });
  };
  EXPECT_EQ(lattice(v1::DATA_TYPE_FLOAT32, 0), kInvalid);
  EXPECT_EQ(lattice(v1::DATA_TYPE_INT8, 7), absl::StatusCode::kOk);
  EXPECT_EQ(lattice(v1::DATA_TYPE_INT8, 8), kInvalid);
  EXPECT_EQ(Changed([](v1::Trial* t) { t->mutable_options()->mutable_run_budget()->set_seconds(-1); }), kInvalid);
  EXPECT_EQ(Changed([](v1::Trial* t) { t->mutable_options()->mutable_run_budget()->set_seconds(1 << 30); }), kInvalid);
  EXPECT_EQ(Changed([](v1::Trial* t) { t->mutable_options()->set_abort_ratio(-1); }), kInvalid);
  EXPECT_EQ(Changed([](v1::Trial* t) { (*t->mutable_labels())["x"] = std::string(5000, 'x'); }), kInvalid);
  EXPECT_EQ(Changed([](v1::Trial* t) {
              t->mutable_kernels(0)->mutable_manifest()->set_codegen(std::string(kMaxTrialBytes, 'x'));
            }),
            kInvalid);
}

TEST(ValidateTest, HelloNeedsACommonProtocolAndUniqueDevices) {
  EXPECT_TRUE(ValidateHello(MakeHello("a", 1, {"d", "e"})).ok());
  EXPECT_EQ(ValidateHello(MakeHello("a", 1, {"d", "d"})).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ValidateHello(MakeHello("a", 1, {})).code(), absl::StatusCode::kInvalidArgument);
  v1::Hello hello = MakeHello("a", 1, {"d"});
  hello.set_protocol_min(2);
  hello.set_protocol_max(3);
  EXPECT_EQ(ValidateHello(hello).code(), absl::StatusCode::kFailedPrecondition);
}

TEST(ValidateTest, ResultMustBelongToItsLeaseAndBeADevicesOwn) {
  v1::Finished finished;
  *finished.mutable_lease() = LeaseToProto("t", {1, 1}, "d");
  *finished.mutable_result() = MakeOutcome("t");
  EXPECT_TRUE(ValidateFinished(finished).ok());
  for (const v1::Outcome outcome : {v1::OUTCOME_UNSPECIFIED, v1::OUTCOME_BUILD_FAILED, v1::OUTCOME_CANCELLED}) {
    finished.mutable_result()->set_outcome(outcome);
    EXPECT_FALSE(ValidateFinished(finished).ok()) << outcome;
  }
  for (const v1::Outcome outcome : {v1::OUTCOME_REFUSED, v1::OUTCOME_CRASHED, v1::OUTCOME_DEVICE_ERROR,
                                    v1::OUTCOME_NO_REFERENCE, v1::OUTCOME_EXPIRED}) {
    finished.mutable_result()->set_outcome(outcome);
    EXPECT_TRUE(ValidateFinished(finished).ok()) << outcome;
  }
  *finished.mutable_result() = MakeOutcome("other");
  EXPECT_FALSE(ValidateFinished(finished).ok());
}

TEST(ValidateTest, AgentMessageIsBounded) {
  v1::AgentMessage message;
  EXPECT_FALSE(ValidateAgentMessage(message).ok());
  message.mutable_draining();
  EXPECT_TRUE(ValidateAgentMessage(message).ok());
  *message.mutable_hello() = MakeHello("a", 1, {"d"});
  message.mutable_hello()->mutable_devices(0)->set_fingerprint(std::string(kMaxControlBytes, 'x'));
  EXPECT_FALSE(ValidateAgentMessage(message).ok());
}

}  // namespace
}  // namespace tunefleet::tracker
