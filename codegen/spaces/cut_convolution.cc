#include "codegen/spaces/cut_convolution.h"

#include <string>

namespace tunefleet::codegen {
namespace {

// Fuses what becomes parallel, and names the loops that will after partition.
std::vector<std::string> ParallelLoops(const ConvolutionCut& convolution, ScheduleBuilder& schedule) {
  const std::vector<std::string>& tasks = convolution.tasks;
  if (tasks.size() > 1) {
    schedule.Fuse(tasks, "task");
    return {"task"};
  }
  const EdgeCut& outermost = convolution.cuts[0];
  return tasks == std::vector<std::string>{outermost.loop} ? PartLoops(outermost) : tasks;
}

}  // namespace

std::vector<std::string> TileTasks(const std::vector<EdgeCut>& cuts, int64_t count, bool batched) {
  std::vector<std::string> tasks;
  if (batched && count > 0) tasks.push_back("n");
  for (int64_t i = 0; i < count; ++i) tasks.push_back(cuts[i].loop);
  return tasks;
}

void CutConvolution(const ConvolutionCut& convolution, ScheduleBuilder& schedule) {
  const std::vector<EdgeCut>& cuts = convolution.cuts;
  const std::vector<std::string> parallel = ParallelLoops(convolution, schedule);
  for (const EdgeLeaf& leaf : PartitionEdges(cuts, schedule)) {
    for (size_t i = 0; i < cuts.size(); ++i) {
      if (leaf.clean[i] || !convolution.skips_taps) continue;
      if (cuts[i].loop == "ow.o" && convolution.unrolled_taps < 1) schedule.Unroll("kw" + leaf.suffix);
      if (cuts[i].loop == "oh.o" && convolution.unrolled_taps < 2) schedule.Unroll("kh" + leaf.suffix);
    }
    std::vector<EdgeCut> channels = convolution.channel_cuts;
    for (EdgeCut& cut : channels) cut.loop += leaf.suffix;
    if (!channels.empty()) PartitionEdges(channels, schedule);
  }
  for (const std::string& loop : parallel) schedule.Parallel(loop);
}

}  // namespace tunefleet::codegen
