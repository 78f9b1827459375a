// What an outcome says about the candidate.
#ifndef TUNEFLEET_TUNER_SEARCH_OUTCOME_H_
#define TUNEFLEET_TUNER_SEARCH_OUTCOME_H_

#include "proto/measurement.pb.h"

namespace tunefleet::tuner {

// False for what befell the trial (a lost device, cancelled, expired): nothing can be learned about the candidate.
bool IsVerdictOnCandidate(v1::Outcome outcome);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_SEARCH_OUTCOME_H_
