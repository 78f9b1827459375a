// How long a program will about take, guessed from its tiles and cache blocks alone: which configs a search looks at
// first. A roofline: issue slots on one side, bytes that come from beyond the first cache on the other.
#ifndef TUNEFLEET_CODEGEN_SPACES_DRAFT_COST_H_
#define TUNEFLEET_CODEGEN_SPACES_DRAFT_COST_H_

#include <cstdint>

namespace tunefleet::codegen {

// Of one run, all threads together.
struct DraftCost {
  double steps = 0;         // of the reduction over a register tile
  double accumulators = 1;  // vector multiply-adds in a step
  double loads = 1;         // vectors and broadcasts in a step
  double turns = 0;         // of the innermost loop
  double l2_bytes = 0;      // read from the second level
  double l3_bytes = 0;      // read from beyond it
  double tasks = 1;         // that may run side by side
  int64_t threads = 1;
};

// Core cycles. Comparable between configs of one space only.
double Cycles(const DraftCost& cost);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_SPACES_DRAFT_COST_H_
