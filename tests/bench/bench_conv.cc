// Tuned convolutions against oneDNN.
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "codegen/operators/reference.h"
#include "codegen/operators/tolerance.h"
#include "codegen/operators/workload.h"
#include "common/fill.h"
#include "common/status_macros.h"
#include "device_server/verify/compare.h"
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

OneDnnEpilogue EpilogueOf(const v1::Workload& workload) {
  OneDnnEpilogue epilogue;
  for (const v1::OperatorNode& node : workload.nodes()) {
    epilogue.bias |= node.kind() == "bias_add";
    epilogue.relu |= node.kind() == "relu";
  }
  return epilogue;
}

// The same operator on plain tensors, and what it must give.
struct Expectation {
  v1::Workload workload;
  codegen::Reference reference;
};

absl::StatusOr<Expectation> Expect(const v1::Workload& workload) {
  constexpr uint64_t kSeed = 7;
  Expectation expected{.workload = workload};
  for (v1::Tensor& tensor : *expected.workload.mutable_tensors()) {
    if (absl::StartsWith(tensor.layout(), "N")) tensor.set_layout("NCHW");
  }
  TF_ASSIGN_OR_RETURN(expected.reference, codegen::ComputeReference(expected.workload, kSeed));
  return expected;
}

absl::StatusOr<std::vector<float>> Filled(const v1::Tensor& tensor, const v1::BufferFill& fill) {
  size_t elements = 1;
  for (const int64_t extent : codegen::PhysicalShape(tensor)) elements *= static_cast<size_t>(extent);
  std::vector<float> values(elements);
  TF_RETURN_IF_ERROR(common::FillBuffer(fill, std::as_writable_bytes(std::span(values))));
  return values;
}

// Leaves the inputs with the opponent. Errors: DATA_LOSS.
absl::Status CheckOutput(const Expectation& expected, OneDnnConv& conv) {
  // The library's transforms are its own: it is granted the error of the largest of ours.
  const bool winograd = absl::StrContains(conv.implementation(), "wino");
  const codegen::Reference& reference = expected.reference;
  TF_ASSIGN_OR_RETURN(const std::vector<v1::OutputCheck> checks,
                      codegen::ChecksFor(expected.workload, reference, winograd ? "winograd.6" : "direct"));
  std::vector<std::vector<float>> inputs(3);  // data, weight and, where there is one, bias
  const auto compute = [&](const std::vector<v1::BufferFill>& fills, const std::string& output) -> absl::Status {
    for (const v1::BufferFill& fill : fills) {
      TF_ASSIGN_OR_RETURN(inputs[fill.buffer()],
                          Filled(expected.workload.tensors(static_cast<int>(fill.buffer())), fill));
    }
    const std::vector<float> found = conv.Compute(inputs[0], inputs[1], inputs[2]);
    const device::Comparison comparison =
        device::Compare(std::as_bytes(std::span(found)), std::as_bytes(std::span(output)), checks[0]);
    if (comparison.pass) return absl::OkStatus();
    return absl::DataLossError(absl::StrCat("oneDNN's ", conv.implementation(), ": element ", comparison.first_wrong,
                                            " is ", comparison.value, ", expected ", comparison.reference));
  };
  TF_RETURN_IF_ERROR(compute(reference.fills, reference.outputs[0]));
  if (reference.second_outputs.empty()) return absl::OkStatus();
  return compute(reference.second_fills, reference.second_outputs[0]);
}

absl::StatusOr<std::vector<Opponent>> OneDnnAlgorithms(const SuiteEntry& entry, const TuneSettings&) {
  TF_ASSIGN_OR_RETURN(const codegen::Conv2dShape shape, codegen::Conv2dShapeOf(entry.workload));
  TF_ASSIGN_OR_RETURN(const Expectation expected, Expect(entry.workload));
  const OneDnnLayout layout = shape.channels_last        ? OneDnnLayout::kChannelsLast
                              : shape.channel_block == 0 ? OneDnnLayout::kPlain
                                                         : OneDnnLayout::kAny;
  std::vector<Opponent> opponents;
  for (const auto& [label, algorithm] :
       {std::pair{"auto", OneDnnAlgorithm::kAuto}, std::pair{"direct", OneDnnAlgorithm::kDirect},
        std::pair{"winograd", OneDnnAlgorithm::kWinograd}}) {
    absl::StatusOr<std::unique_ptr<OneDnnConv>> made =
        OneDnnConv::Create(shape, EpilogueOf(entry.workload), algorithm, layout);
    if (absl::IsUnimplemented(made.status())) continue;
    TF_RETURN_IF_ERROR(made.status());
    const std::shared_ptr<OneDnnConv> conv = *std::move(made);
    TF_RETURN_IF_ERROR(CheckOutput(expected, *conv));
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
