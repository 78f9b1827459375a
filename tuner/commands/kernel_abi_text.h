// The text of common/kernel_abi.h, put into this program when it is built.
#ifndef TUNEFLEET_TUNER_COMMANDS_KERNEL_ABI_TEXT_H_
#define TUNEFLEET_TUNER_COMMANDS_KERNEL_ABI_TEXT_H_

namespace tunefleet::tuner {

extern const char* const kKernelAbiText;

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_COMMANDS_KERNEL_ABI_TEXT_H_
