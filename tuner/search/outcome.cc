#include "tuner/search/outcome.h"

namespace tunefleet::tuner {

bool IsVerdictOnCandidate(v1::Outcome outcome) {
  switch (outcome) {
    case v1::OUTCOME_UNSPECIFIED:
    case v1::OUTCOME_DEVICE_ERROR:
    case v1::OUTCOME_NO_REFERENCE:
    case v1::OUTCOME_LOST_DEVICE:
    case v1::OUTCOME_EXPIRED:
    case v1::OUTCOME_CANCELLED:
      return false;
    default:
      return true;
  }
}

}  // namespace tunefleet::tuner
