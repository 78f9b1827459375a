// Parallel loops become tasks: none nested in another, and not more than there is workspace for.
#ifndef TUNEFLEET_CODEGEN_LOWERING_PARALLEL_LOOPS_H_
#define TUNEFLEET_CODEGEN_LOWERING_PARALLEL_LOOPS_H_

#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// Parallel loops inside parallel loops become serial. In a parallel loop of more than
// `max_tasks` iterations in which a temporary lives in the workspace, a task becomes a run of neighbouring iterations:
//
//   for p in [b, b + n) parallel: S   ->   for p.task in [0, ceil(n / c)) parallel:
//                                            for p in [b + c * p.task, ... + min(c, n - c * p.task)) serial: S
LoopNest FormTasks(const LoopNest& nest, int max_tasks);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LOWERING_PARALLEL_LOOPS_H_
