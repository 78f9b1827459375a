// Links one relocatable object into an ELF shared object, in process, by LLD. Nothing touches the file system: LLD
// reads and writes memory files.
#ifndef TUNEFLEET_CODEGEN_LLVM_LINKER_H_
#define TUNEFLEET_CODEGEN_LLVM_LINKER_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tunefleet::codegen {

// Equal objects give equal bytes. LLD keeps its state in globals: calls take turns. Errors: INTERNAL,
// RESOURCE_EXHAUSTED (an object past 768 KiB).
absl::StatusOr<std::string> LinkSharedObject(absl::string_view object);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LLVM_LINKER_H_
