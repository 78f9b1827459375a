#include "tests/codegen/llvm/run_kernel.h"

#include <atomic>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/check.h"
#include "tests/codegen/llvm/buffer_bytes.h"

namespace tunefleet::codegen {
namespace {

void ParallelFor(const tf_runtime* runtime, int64_t count, tf_task task, void* argument) {
  std::atomic<int64_t> next{0};
  const auto work = [&] {
    for (int64_t i = next++; i < count; i = next++) task(argument, i);
  };
  std::vector<std::thread> threads;
  for (uint32_t i = 1; i < runtime->num_threads; ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

Buffers RunKernel(const LoopNest& nest, const Artifact& artifact, const Buffers& inputs, int threads,
                  std::string* workspace_after) {
  const std::vector<const Buffer*> arguments = ArgumentsOf(nest);
  TF_CHECK(static_cast<size_t>(artifact.manifest.buffers_size()) == arguments.size(), "one spec per buffer");
  std::vector<AlignedBytes> memory;
  std::vector<void*> pointers;
  for (size_t b = 0; b < arguments.size(); ++b) {
    const v1::BufferSpec& spec = artifact.manifest.buffers(static_cast<int>(b));
    TF_CHECK(spec.name() == arguments[b]->name, "specs in the order of the nest");
    memory.emplace_back(spec.size_bytes(), true);
    std::memset(memory.back().data(), 0x7b, memory.back().size());
    pointers.push_back(memory.back().data());
    const auto input = inputs.find(spec.name());
    if (input != inputs.end()) StoreValues(*arguments[b], input->second, static_cast<char*>(pointers.back()));
  }
  const AlignedBytes workspace(artifact.manifest.workspace_bytes(), true);
  std::memset(workspace.data(), 0x7b, workspace.size());

  const tf_runtime runtime = {TF_ABI_VERSION, static_cast<uint32_t>(threads), nullptr, ParallelFor};
  const tf_runtime* lent = threads == 0 ? nullptr : &runtime;
  const LoadedKernel kernel(artifact);
  if (kernel.prepare() != nullptr) {
    TF_CHECK(kernel.prepare()(pointers.data(), workspace.data(), lent) == 0, "tf_prepare");
  }
  TF_CHECK(kernel.run()(pointers.data(), workspace.data(), lent) == 0, "tf_run");
  if (workspace_after != nullptr) workspace_after->assign(static_cast<const char*>(workspace.data()), workspace.size());

  Buffers outputs;
  for (size_t b = 0; b < arguments.size(); ++b) {
    if (arguments[b]->role != Role::kOutput) continue;
    outputs[arguments[b]->name] = LoadValues(*arguments[b], static_cast<const char*>(pointers[b]));
  }
  return outputs;
}

}  // namespace tunefleet::codegen
