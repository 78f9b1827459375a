// The C files that go with a shipped kernel: a header that says how to call it, and a small program that does.
#ifndef TUNEFLEET_TUNER_COMMANDS_KERNEL_FILES_H_
#define TUNEFLEET_TUNER_COMMANDS_KERNEL_FILES_H_

#include <string>

#include "proto/artifact.pb.h"
#include "proto/workload.pb.h"

namespace tunefleet::tuner {

struct ShippedKernel {
  std::string file;     // of the shared object, without its folder: "conv.so"
  std::string header;   // "conv.h"
  std::string example;  // "conv_example.c"
  std::string prefix;   // of the header's macros: "CONV"
  std::string workload_key;
  v1::Workload workload;
  v1::Target target;
  v1::ArtifactManifest manifest;
  double latency_ns = 0;
  double gflops = 0;
};

// File and macro names from the path of the shared object. Everything else stays unset.
ShippedKernel NameKernelFiles(const std::string& path);

// Self-contained C (C99) and C++: the ABI of common/kernel_abi.h, the buffers' shapes, layouts, sizes and alignment,
// and how to use it all.
std::string KernelHeader(const ShippedKernel& kernel);
// Loads the kernel, fills its inputs, runs it and prints the time of a run.
std::string KernelExample(const ShippedKernel& kernel);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_COMMANDS_KERNEL_FILES_H_
