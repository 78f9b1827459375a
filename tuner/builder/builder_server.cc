#include "tuner/builder/builder_server.h"

#include <unistd.h>

#include <new>

#include "common/frame.h"
#include "common/status_macros.h"
#include "tuner/builder/builder_process.h"

namespace tunefleet::tuner {

void ExitWhenOutOfMemory() {
  std::set_new_handler([] { _exit(kOutOfMemoryExit); });
}

absl::Status ServeBuilds(const std::function<v1::BuildResponse(const v1::BuildRequest&)>& build) {
  for (;;) {
    v1::BuildRequest request;
    const absl::Status status = common::ReadFrame(kBuilderSocket, &request);
    if (absl::IsOutOfRange(status)) return absl::OkStatus();
    TF_RETURN_IF_ERROR(status);
    TF_RETURN_IF_ERROR(common::WriteFrame(kBuilderSocket, build(request)));
  }
}

}  // namespace tunefleet::tuner
