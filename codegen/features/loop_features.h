// Features of a program for cost models (Chen et al., Learning to Optimize Tensor Programs, section 4): the context of
// each loop, and vectors of fixed length derived from it that do not depend on the loops' number and names.
//
// Every number is finite; counts, extents and bytes are log2(1 + x).
#ifndef TUNEFLEET_CODEGEN_FEATURES_LOOP_FEATURES_H_
#define TUNEFLEET_CODEGEN_FEATURES_LOOP_FEATURES_H_

#include <string>
#include <vector>

#include "codegen/features/loop_outline.h"

namespace tunefleet::codegen {

// Raised whenever the meaning or number of any feature changes.
inline constexpr int kFeatureVersion = 1;

// Buffers of a block that have features of their own: the one that it writes, then those that it reads first.
inline constexpr int kContextBuffers = 3;

// What one loop is to the block under it that runs most often.
struct LoopContext {
  double extent = 1;
  LoopKind kind = LoopKind::kSerial;
  double top_down = 1;   // times that the loop is entered: the product of the extents outside
  double bottom_up = 1;  // iterations of the block each time: the product of the extents from here inwards
  struct Touch {
    double elements = 0;  // distinct elements touched each time
    double reuse = 0;     // bottom_up / elements
    double stride = 0;    // elements from iteration to iteration
  };
  Touch buffers[kContextBuffers];
  double touched_bytes = 0;  // of all the block's buffers, each time
};

// Rows of the context matrix, in the order of `outline.loops`; a loop without blocks has a default row.
std::vector<LoopContext> LoopContexts(const LoopOutline& outline);

// One row of the context matrix as numbers: the names, and the values in their order.
const std::vector<std::string>& ContextNames();
std::vector<float> ContextValues(const LoopContext& context);

// Context relation features (section 4): with Z the context matrix over all loops,
//   R_t(i, j) = max { Z_ki : Z_kj < beta_t }
// for log2-spaced thresholds beta_t, j the touched bytes and the bottom-up product; then a few totals of the program.
const std::vector<std::string>& FeatureNames();
std::vector<float> FixedFeatures(const LoopOutline& outline);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_FEATURES_LOOP_FEATURES_H_
