// The roofline of a program (Williams, Waterman, Patterson, 2009), one for each level of the memory: how much data its
// loops move across the level, and how fast they could run if that were all that held them back.
//
// Data moved is derived from the loop nest alone. A loop whose body touches no more than a cache holds, but which
// itself touches more (or the whole program), fetches each element that it touches once for every time it runs; what
// is further outside finds nothing left. Registers hold what unrolled and vectorized loops touch. Elements count, not
// cache lines; where parts of a partitioned loop touch a buffer, the largest part counts; kLocal buffers are registers.
#ifndef TUNEFLEET_CODEGEN_EXPLAIN_ROOFLINE_H_
#define TUNEFLEET_CODEGEN_EXPLAIN_ROOFLINE_H_

#include <string>
#include <vector>

#include "codegen/ir/loop_nest.h"
#include "proto/workload.pb.h"

namespace tunefleet::codegen {

// What a machine could do at most. Declared: from the width of its vectors, two multiply-adds a cycle (of int8 four
// products each, where there are dot products), and bytes a cycle that are typical of a core, scaled by a clock that
// was measured or is assumed.
struct Ceilings {
  struct Level {
    std::string name;         // "L1", "L2", "L3", "memory": where the data comes from
    double gigabytes_s = 0;   // of all threads
    int64_t holds_bytes = 0;  // the cache on the near side; 0: the registers
  };
  double clock_ghz = 0;
  double peak_gflops = 0;     // of the type that is multiplied, of all threads
  std::vector<Level> levels;  // nearest first
};

// `clock_ghz` > 0; `dtype` is what is multiplied.
Ceilings DeclaredCeilings(const v1::Target& target, double clock_ghz, v1::DataType dtype = v1::DATA_TYPE_FLOAT32);

struct Roofline {
  struct Level {
    std::string name;
    double bytes = 0;         // moved in one run
    double intensity = 0;     // flops per byte; infinite where nothing moves
    double bound_gflops = 0;  // intensity times the level's bandwidth
  };
  double flops = 0;  // of the program's multiply-adds: Winograd's are fewer than the operator's
  double peak_gflops = 0;
  std::vector<Level> levels;   // as in Ceilings
  std::string bound = "peak";  // what holds it back: "peak", or the level with the lowest bound below it
  double bound_gflops = 0;
};

// Of `run`. `warm`: the same run came before, and what fits a cache as a whole is still there; nothing moves across it.
Roofline RooflineOf(const LoopNest& nest, const Ceilings& ceilings, bool warm);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_EXPLAIN_ROOFLINE_H_
