// Early return on errors.
//
//   TF_RETURN_IF_ERROR(Write(file));
//   TF_ASSIGN_OR_RETURN(const Artifact artifact, Load(path));
#ifndef TUNEFLEET_COMMON_STATUS_MACROS_H_
#define TUNEFLEET_COMMON_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define TF_RETURN_IF_ERROR(expression)                                            \
  do {                                                                            \
    if (absl::Status tf_status = (expression); !tf_status.ok()) return tf_status; \
  } while (false)

#define TF_STATUS_CONCAT_INNER(a, b) a##b
#define TF_STATUS_CONCAT(a, b) TF_STATUS_CONCAT_INNER(a, b)
#define TF_ASSIGN_OR_RETURN(declaration, expression) \
  TF_ASSIGN_OR_RETURN_IMPL(TF_STATUS_CONCAT(tf_status_or_, __LINE__), declaration, expression)
#define TF_ASSIGN_OR_RETURN_IMPL(temporary, declaration, expression) \
  auto temporary = (expression);                                     \
  if (!temporary.ok()) return temporary.status();                    \
  declaration = std::move(temporary).value()

#endif  // TUNEFLEET_COMMON_STATUS_MACROS_H_
