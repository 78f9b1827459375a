#include "device_server/worker/thread_state.h"

#include <cfenv>
#include <csignal>

#include "device_server/worker/poison.h"

namespace tunefleet::device {

void ResetThreadState() {
  // First: what comes next may need the handler of a trap.
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
  std::fesetenv(FE_DFL_ENV);
  CleanRegisters();
}

}  // namespace tunefleet::device
