#include "tests/codegen/llvm/run_kernel.h"

#include <atomic>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "codegen/ir/element_size.h"
#include "common/check.h"

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

template <typename T>
void StoreAs(char* at, double value) {
  const T typed = static_cast<T>(value);
  std::memcpy(at, &typed, sizeof(T));
}

template <typename T>
double LoadAs(const char* at) {
  T typed;
  std::memcpy(&typed, at, sizeof(T));
  return static_cast<double>(typed);
}

void StoreElement(ScalarType type, char* at, double value) {
  switch (type) {
    case ScalarType::kFloat32:
      return StoreAs<float>(at, value);
    case ScalarType::kFloat64:
      return StoreAs<double>(at, value);
    case ScalarType::kInt32:
      return StoreAs<int32_t>(at, value);
    case ScalarType::kIndex:
      return StoreAs<int64_t>(at, value);
    case ScalarType::kInt8:
    case ScalarType::kBool:
      return StoreAs<int8_t>(at, value);
  }
}

double LoadElement(ScalarType type, const char* at) {
  switch (type) {
    case ScalarType::kFloat32:
      return LoadAs<float>(at);
    case ScalarType::kFloat64:
      return LoadAs<double>(at);
    case ScalarType::kInt32:
      return LoadAs<int32_t>(at);
    case ScalarType::kIndex:
      return LoadAs<int64_t>(at);
    case ScalarType::kInt8:
    case ScalarType::kBool:
      return LoadAs<int8_t>(at);
  }
  return 0;
}

// Where the i-th element is, past the padding of the rows before.
size_t OffsetOf(const Buffer& buffer, int64_t i) {
  const int64_t row = buffer.shape.empty() ? 1 : buffer.shape.back();
  return static_cast<size_t>((i + i / row * buffer.row_padding) * ElementBytes(buffer.type));
}

}  // namespace

Buffers RunKernel(const LoopNest& nest, const Artifact& artifact, const Buffers& inputs, int threads,
                  std::string* workspace_after) {
  std::vector<const Buffer*> arguments;
  for (const Buffer& buffer : nest.buffers) {
    if (buffer.IsArgument()) arguments.push_back(&buffer);
  }
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
    if (input == inputs.end()) continue;
    for (size_t i = 0; i < input->second.size(); ++i) {
      const size_t offset = OffsetOf(*arguments[b], static_cast<int64_t>(i));
      StoreElement(arguments[b]->type, static_cast<char*>(pointers.back()) + offset, input->second[i]);
    }
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
    std::vector<double>& values = outputs[arguments[b]->name];
    for (int64_t i = 0; i < arguments[b]->NumElements(); ++i) {
      const char* start = static_cast<const char*>(pointers[b]);
      values.push_back(LoadElement(arguments[b]->type, start + OffsetOf(*arguments[b], i)));
    }
  }
  return outputs;
}

}  // namespace tunefleet::codegen
