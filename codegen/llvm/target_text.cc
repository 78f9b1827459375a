#include "codegen/llvm/target_text.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "codegen/llvm/target_machine.h"
#include "llvm/MC/MCSubtargetInfo.h"

namespace tunefleet::codegen {
namespace {

absl::Status Wrong(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("target '", text.substr(0, 200), "': ", why,
                                                 "; expected e.g. 'x86_64-linux-gnu -mcpu=znver5 -mattr=-avx512f'"));
}

// Switches features on and off, as "+a,-b" says.
absl::Status ApplyFeatures(absl::string_view text, absl::string_view list, llvm::MCSubtargetInfo* machine) {
  const llvm::ArrayRef<llvm::SubtargetFeatureKV> known = machine->getAllProcessorFeatures();
  for (const absl::string_view entry : absl::StrSplit(list, ',')) {
    if (!absl::StartsWith(entry, "+") && !absl::StartsWith(entry, "-")) {
      return Wrong(text, absl::StrCat("-mattr: '", entry, "' has no + or -"));
    }
    const std::string name(entry.substr(1));
    if (std::none_of(known.begin(), known.end(), [&](const auto& feature) { return name == feature.Key; })) {
      return Wrong(text, absl::StrCat("-mattr: unknown feature '", name, "'"));
    }
    machine->ApplyFeatureFlag(std::string(entry));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::Target> ParseTarget(absl::string_view text) {
  const std::vector<absl::string_view> words = absl::StrSplit(text, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (words.empty()) return Wrong(text, "it is empty");
  if (absl::StartsWith(words[0], "-")) return Wrong(text, "the triple comes first");
  v1::Target target;
  target.set_triple(std::string(words[0]));
  absl::string_view attributes;
  for (size_t i = 1; i < words.size(); ++i) {
    absl::string_view word = words[i];
    if (absl::ConsumePrefix(&word, "-mcpu=")) {
      target.set_cpu(std::string(word));
    } else if (absl::ConsumePrefix(&word, "-mattr=")) {
      attributes = word;
    } else {
      return Wrong(text, absl::StrCat("unknown option '", word, "'"));
    }
  }
  if (!attributes.empty() && target.cpu().empty()) return Wrong(text, "-mattr changes the features of a -mcpu");
  const absl::StatusOr<KernelTarget> machine = MakeKernelTarget(target, /*aggressive=*/false);
  if (!machine.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("target '", text.substr(0, 200), "': ", machine.status().message()));
  }
  llvm::MCSubtargetInfo subtarget = *machine->machine->getMCSubtargetInfo();
  if (!attributes.empty()) {
    if (const absl::Status status = ApplyFeatures(text, attributes, &subtarget); !status.ok()) return status;
  }
  std::set<std::string> features;
  for (const llvm::SubtargetFeatureKV& feature : subtarget.getAllProcessorFeatures()) {
    if (subtarget.checkFeatures(std::string("+") + feature.Key)) features.insert(feature.Key);
  }
  for (const std::string& feature : features) target.add_features(feature);
  return target;
}

}  // namespace tunefleet::codegen
