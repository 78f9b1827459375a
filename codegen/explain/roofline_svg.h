// A picture of a roofline with a tuning run on it: ceilings and the best kernel on the left, the run's trials in the
// order in which they were measured on the right.
#ifndef TUNEFLEET_CODEGEN_EXPLAIN_ROOFLINE_SVG_H_
#define TUNEFLEET_CODEGEN_EXPLAIN_ROOFLINE_SVG_H_

#include <string>
#include <vector>

#include "codegen/explain/roofline.h"

namespace tunefleet::codegen {

struct RooflinePicture {
  std::string title;
  std::string subtitle;
  Ceilings ceilings;
  Roofline best;
  double best_gflops = 0;
  struct Trial {
    double intensity = 0;  // flops per byte across the level below
    double gflops = 0;
  };
  std::vector<Trial> trials;  // valid ones, oldest first
  std::string trials_level;   // the level whose intensity places the trials
};

// An SVG document of 1080 by 520 pixels, with a white background.
std::string RooflineSvg(const RooflinePicture& picture);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_EXPLAIN_ROOFLINE_SVG_H_
