// tunefleet-device --self-test: does this machine give timings that can be trusted? Measures kernels of known behaviour
// through real workers, again and again in random order, and judges how well they repeat.
#ifndef TUNEFLEET_DEVICE_SERVER_BUILTIN_SELF_TEST_H_
#define TUNEFLEET_DEVICE_SERVER_BUILTIN_SELF_TEST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/random/bit_gen_ref.h"
#include "device_server/builtin/repeatability.h"
#include "device_server/measure/trial_runner.h"

namespace tunefleet::device {

// What was found out.
struct SelfTestFindings {
  std::string device;  // its id
  std::vector<Repeatability> kernels;
  uint32_t sandbox = 0;  // SandboxBits
  Scheduling scheduling = Scheduling::kNormal;
};

// What it means.
struct SelfTestVerdict {
  bool trustworthy = false;  // every kernel ran, repeats within 2%, and at most a tenth of the results is flagged
  double noise = 0;          // the largest coefficient of variation of a kernel
  double flagged = 0;        // share of the results
  double clock_range = 0;    // largest over smallest speed of the clock that was seen, less 1
  std::vector<std::string> complaints;  // why it is not trustworthy
  std::vector<std::string> advice;      // what would make it better, though it may be good enough
};

// Measures each kernel `times` times with `threads` threads. Seconds.
SelfTestFindings RunSelfTest(int times, uint32_t threads, absl::BitGenRef random, TrialRunner* runner);

// Pure.
SelfTestVerdict JudgeSelfTest(const SelfTestFindings& findings);

// For people, and one line of JSON. Pure.
std::string SelfTestText(const SelfTestFindings& findings, const SelfTestVerdict& verdict);
std::string SelfTestJson(const SelfTestFindings& findings, const SelfTestVerdict& verdict);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_BUILTIN_SELF_TEST_H_
