// Tuned convolutions against oneDNN.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/status_macros.h"
#include "tests/bench/comparison.h"
#include "tests/bench/onednn_conv.h"

namespace tunefleet::bench {
namespace {

constexpr char kUsage[] =
    "tuned convolutions against oneDNN (auto, direct, Winograd), interleaved in one process\n"
    "examples:\n"
    "  tests/bench/bench_conv --suite=tests/bench/suites/resnet18.txt --records=bench.db\n"
    "  tests/bench/bench_conv --suite=my_ops.txt --trials=256 --threads=2 --json";

absl::Status Accepts(const v1::Workload& workload) { return codegen::Conv2dShapeOf(workload).status(); }

absl::StatusOr<std::vector<Opponent>> OneDnnAlgorithms(const SuiteEntry& entry, const TuneSettings&) {
  TF_ASSIGN_OR_RETURN(const codegen::Conv2dShape shape, codegen::Conv2dShapeOf(entry.workload));
  const OneDnnLayout layout = shape.channels_last        ? OneDnnLayout::kChannelsLast
                              : shape.channel_block == 0 ? OneDnnLayout::kPlain
                                                         : OneDnnLayout::kAny;
  std::vector<Opponent> opponents;
  for (const auto& [label, algorithm] :
       {std::pair{"auto", OneDnnAlgorithm::kAuto}, std::pair{"direct", OneDnnAlgorithm::kDirect},
        std::pair{"winograd", OneDnnAlgorithm::kWinograd}}) {
    absl::StatusOr<std::unique_ptr<OneDnnConv>> made = OneDnnConv::Create(shape, algorithm, layout);
    if (absl::IsUnimplemented(made.status())) continue;
    TF_RETURN_IF_ERROR(made.status());
    const std::shared_ptr<OneDnnConv> conv = *std::move(made);
    opponents.push_back({label, conv->implementation(), [conv] { conv->Run(); }});
  }
  return opponents;
}

}  // namespace
}  // namespace tunefleet::bench

int main(int argc, char** argv) {
  using namespace tunefleet::bench;
  const ComparisonOptions options = ParseComparisonFlags(argc, argv, kUsage);
  return ExitStatus("bench_conv", Compare(options, {"auto", Accepts, OneDnnAlgorithms}));
}
