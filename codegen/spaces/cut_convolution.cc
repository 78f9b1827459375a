#include "codegen/spaces/cut_convolution.h"

#include <string>

namespace tunefleet::codegen {
namespace {

// Fuses what becomes parallel, and names the loops that will after partition.
std::vector<std::string> TaskLoops(const ConvolutionCut& convolution, ScheduleBuilder& schedule) {
  if (convolution.parallel_cuts == 0) return {};
  std::vector<std::string> tasks;
  if (convolution.batched) tasks.push_back("n");
  for (int64_t i = 0; i < convolution.parallel_cuts; ++i) tasks.push_back(convolution.cuts[i].loop);
  if (tasks.size() == 1) return PartLoops(convolution.cuts[0]);
  schedule.Fuse(tasks, "task");
  return {"task"};
}

}  // namespace

void CutConvolution(const ConvolutionCut& convolution, ScheduleBuilder& schedule) {
  const std::vector<EdgeCut>& cuts = convolution.cuts;
  const std::vector<std::string> tasks = TaskLoops(convolution, schedule);
  for (const EdgeLeaf& leaf : PartitionEdges(cuts, schedule)) {
    for (size_t i = 0; i < cuts.size(); ++i) {
      if (leaf.clean[i]) continue;
      if (cuts[i].loop == "ow.o" && convolution.unrolled_taps < 1) schedule.Unroll("kw" + leaf.suffix);
      if (cuts[i].loop == "oh.o" && convolution.unrolled_taps < 2) schedule.Unroll("kh" + leaf.suffix);
    }
    std::vector<EdgeCut> channels = convolution.channel_cuts;
    for (EdgeCut& cut : channels) cut.loop += leaf.suffix;
    if (!channels.empty()) PartitionEdges(channels, schedule);
  }
  for (const std::string& loop : tasks) schedule.Parallel(loop);
}

}  // namespace tunefleet::codegen
