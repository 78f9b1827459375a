#include "tests/codegen/llvm/buffer_bytes.h"

#include <cstdint>
#include <cstring>

#include "codegen/ir/element_size.h"

namespace tunefleet::codegen {
namespace {

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

std::vector<const Buffer*> ArgumentsOf(const LoopNest& nest) {
  std::vector<const Buffer*> arguments;
  for (const Buffer& buffer : nest.buffers) {
    if (buffer.IsArgument()) arguments.push_back(&buffer);
  }
  return arguments;
}

void StoreValues(const Buffer& buffer, const std::vector<double>& values, char* memory) {
  for (size_t i = 0; i < values.size(); ++i) {
    StoreElement(buffer.type, memory + OffsetOf(buffer, static_cast<int64_t>(i)), values[i]);
  }
}

std::vector<double> LoadValues(const Buffer& buffer, const char* memory) {
  std::vector<double> values;
  for (int64_t i = 0; i < buffer.NumElements(); ++i) {
    values.push_back(LoadElement(buffer.type, memory + OffsetOf(buffer, i)));
  }
  return values;
}

}  // namespace tunefleet::codegen
