#include "codegen/operators/layout.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace tunefleet::codegen {

absl::StatusOr<int64_t> ChannelBlockOf(absl::string_view layout, int64_t channels) {
  if (layout == "NCHW") return 0;
  if (layout == "NHWC") return channels;
  for (const int64_t block : {4, 8, 16, 32}) {
    if (layout == BlockedLayout(block)) return block;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown layout '", layout, "' (known: NCHW, NHWC, NCHW4c, NCHW8c, NCHW16c, NCHW32c)"));
}

std::string BlockedLayout(int64_t block) { return block == 0 ? "NCHW" : absl::StrCat("NCHW", block, "c"); }

}  // namespace tunefleet::codegen
