// The arguments of a primitive call, read by name and type.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_ARGUMENTS_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_ARGUMENTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "proto/schedule.pb.h"

namespace tunefleet::codegen {

// Borrows the call. Check() first: the getters are for arguments that it has found good.
class Arguments {
 public:
  enum class Type { kString, kInts, kStrings };
  struct Parameter {
    absl::string_view name;
    Type type;
  };

  explicit Arguments(const v1::PrimitiveCall& call) : call_(call) {}

  // Errors: INVALID_ARGUMENT, for a missing, mistyped, repeated or unknown argument.
  absl::Status Check(const std::vector<Parameter>& parameters) const;

  std::string String(absl::string_view name) const;
  std::vector<int64_t> Ints(absl::string_view name) const;
  std::vector<std::string> Strings(absl::string_view name) const;

 private:
  const v1::PrimitiveArgument* Find(absl::string_view name) const;

  const v1::PrimitiveCall& call_;
};

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_ARGUMENTS_H_
