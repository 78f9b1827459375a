// Activation layouts: NCHW, and NCHW<b>c with b channels in a block.
#ifndef TUNEFLEET_CODEGEN_OPERATORS_LAYOUT_H_
#define TUNEFLEET_CODEGEN_OPERATORS_LAYOUT_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tunefleet::codegen {

// Channels in a block; 0 for NCHW. NHWC is one block of all `channels`. Errors: INVALID_ARGUMENT, listing the layouts
// there are.
absl::StatusOr<int64_t> ChannelBlockOf(absl::string_view layout, int64_t channels);

// The name of the layout in blocks: NCHW for 0.
std::string BlockedLayout(int64_t block);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_OPERATORS_LAYOUT_H_
