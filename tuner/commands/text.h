// How things of the tuner are written for people.
#ifndef TUNEFLEET_TUNER_COMMANDS_TEXT_H_
#define TUNEFLEET_TUNER_COMMANDS_TEXT_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "proto/measurement.pb.h"
#include "proto/record.pb.h"
#include "proto/schedule.pb.h"
#include "proto/workload.pb.h"

namespace tunefleet::tuner {

// "OK", "WRONG_ANSWER".
std::string OutcomeName(v1::Outcome outcome);
// "wrong answer".
std::string OutcomePhrase(v1::Outcome outcome);
// "12 wrong answer, 3 refused", most frequent first; empty when there are none.
std::string FailureList(const std::map<v1::Outcome, int>& failures);
// "1.842 ms", "61.3 us", "1.27 s".
std::string LatencyText(double latency_ns);
// "GFLOP/s"; "GOP/s" for integers.
const char* RateUnit(const v1::Workload& workload);
// "oc_tile=2 ow_tile=14 ...".
std::string KnobText(const v1::Config& config);
// "x86_64-linux-gnu -mcpu=znver5", as --target reads it.
std::string TargetText(const v1::Target& target);
// "1 thread", "2 threads".
std::string ThreadsText(const v1::Target& target);
// The values of --cache: "warm", "cold", "rotating".
const std::vector<std::string>& CacheModeNames();
std::string CacheModeName(v1::CacheMode mode);
v1::CacheMode CacheModeOf(absl::string_view name);
// What a kernel runs on: "2 threads", "1 thread, rotating caches".
std::string ConditionsText(const v1::Target& target, v1::CacheMode mode);
// RFC 3339 in UTC, milliseconds.
std::string TimeText(const google::protobuf::Timestamp& time);
// Columns padded to their widest cell, two spaces between; the first row is the heading.
std::string Table(const std::vector<std::vector<std::string>>& rows);
// Latency of the record's first kernel; 0 unless the trial is OK.
double RecordLatencyNs(const v1::TuningRecord& record);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_COMMANDS_TEXT_H_
