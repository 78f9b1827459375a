// oneDNN's convolution as the opponent: fp32 forward inference, bias and relu inside, weights reordered beforehand,
// primitives cached.
#ifndef TUNEFLEET_TESTS_BENCH_ONEDNN_CONV_H_
#define TUNEFLEET_TESTS_BENCH_ONEDNN_CONV_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "codegen/operators/workload.h"

namespace tunefleet::bench {

enum class OneDnnAlgorithm { kAuto, kDirect, kWinograd };
enum class OneDnnLayout {
  kAny,           // the library's own choice for activations and weights
  kPlain,         // NCHW in and out
  kChannelsLast,  // NHWC in and out
};

struct OneDnnEpilogue {
  bool bias = false;
  bool relu = false;
};

// Runs on OpenMP's threads: set their number before Create. Not thread-safe.
class OneDnnConv {
 public:
  // Errors: UNIMPLEMENTED when the library has no such kernel for the shape, INTERNAL for its other errors.
  static absl::StatusOr<std::unique_ptr<OneDnnConv>> Create(const codegen::Conv2dShape& shape,
                                                            const OneDnnEpilogue& epilogue, OneDnnAlgorithm algorithm,
                                                            OneDnnLayout layout);
  ~OneDnnConv();

  // The implementation as DNNL_VERBOSE names it, e.g. "brgconv:avx512_core".
  const std::string& implementation() const { return implementation_; }

  // The output in plain NCHW for the given plain NCHW input, OIHW weights and, where there is one, bias.
  std::vector<float> Compute(const std::vector<float>& data, const std::vector<float>& weight,
                             const std::vector<float>& bias);

  // Computes once more what Compute was last given, and nothing else: what is to be timed. Not before it.
  void Run();

 private:
  struct State;
  OneDnnConv(std::unique_ptr<State> state, std::string implementation);
  std::unique_ptr<State> state_;
  std::string implementation_;
};

}  // namespace tunefleet::bench

#endif  // TUNEFLEET_TESTS_BENCH_ONEDNN_CONV_H_
