// The known name that a mistyped one most likely meant, for error messages.
#ifndef TUNEFLEET_CODEGEN_OPERATORS_CLOSEST_NAME_H_
#define TUNEFLEET_CODEGEN_OPERATORS_CLOSEST_NAME_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace tunefleet::codegen {

// The name at the smallest edit distance (letter case aside), or "" when all differ in more than half of their letters.
std::string ClosestName(absl::string_view name, absl::Span<const std::string> known);

// "; did you mean 'conv2d'? (known: a, b)": the tail of an error message.
std::string Suggestion(absl::string_view name, absl::Span<const std::string> known);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_OPERATORS_CLOSEST_NAME_H_
