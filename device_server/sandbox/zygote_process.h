// The zygote: a small, single-threaded process that isolates itself once and then forks the workers.
//
// It is this program started anew with --zygote, so it can be replaced when it is lost, and it never holds gRPC state.
// It ends, and with it every worker, when its control socket closes.
#ifndef TUNEFLEET_DEVICE_SERVER_SANDBOX_ZYGOTE_PROCESS_H_
#define TUNEFLEET_DEVICE_SERVER_SANDBOX_ZYGOTE_PROCESS_H_

namespace tunefleet::device {

inline constexpr char kZygoteArgument[] = "--zygote";
inline constexpr int kZygoteControlFd = 3;
inline constexpr int kZygoteGroupFd = 4;  // the entrance of the workers' group; not open: there is none

// Serves requests on kZygoteControlFd; returns the exit status. Call first thing in main.
int RunZygote();

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_SANDBOX_ZYGOTE_PROCESS_H_
