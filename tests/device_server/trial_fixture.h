// Trials of the kernels in kernels.c, with the reference computed here.
#ifndef TUNEFLEET_TESTS_DEVICE_SERVER_TRIAL_FIXTURE_H_
#define TUNEFLEET_TESTS_DEVICE_SERVER_TRIAL_FIXTURE_H_

#include <string>

#include "proto/measurement.pb.h"
#include "tests/support/test_blobs.h"

namespace tunefleet::device {

// The shared object of the behaviour, e.g. "good".
std::string KernelCode(const std::string& behaviour);

// A trial with one kernel of the behaviour, 1000 floats a buffer; its blobs go to `blobs`. Limits are short.
v1::Trial MakeTrial(const std::string& behaviour, TestBlobs* blobs);

// The same with this code.
v1::Trial MakeTrialOfCode(const std::string& name, std::string code, TestBlobs* blobs);

// What its output must be for these fills of its inputs.
std::string ExpectedOutput(const v1::BufferFill& a, const v1::BufferFill& b);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_TESTS_DEVICE_SERVER_TRIAL_FIXTURE_H_
